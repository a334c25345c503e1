"""The made-up service, stopping inside its transaction after it has written: the place to freeze it."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import replace

from chassis.delivery.consumer import Applied, Subscription
from chassis.postgres.database import Connection
from tests.integration.chassis.ledger.apply import Order


def slowly(subscription: Subscription[Order], entity: str | None) -> Subscription[Order]:
    """Return the subscription, waiting inside the transaction of a batch that holds `entity` until SIGCONT."""

    async def apply(connection: Connection, events: Sequence[Order]) -> Applied:
        applied = await subscription.apply(connection, events)
        if entity is not None and any(order.entity == entity for order in events):
            thawed = _thawed()
            await connection.execute("SET LOCAL application_name = 'holding'")
            await thawed.wait()
        return applied

    return replace(subscription, apply=apply)


def _thawed() -> asyncio.Event:
    """Return what the next SIGCONT sets."""
    thawed = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGCONT, thawed.set)
    return thawed
