"""The made-up service, stopping inside its transaction after it has written: the place to freeze it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from chassis.consumer import Applied, Subscription
from chassis.database import Connection
from tests.integration.chassis.ledger.apply import Order

HOLD_S = 15


def slowly(subscription: Subscription[Order], entity: str | None) -> Subscription[Order]:
    """Return the subscription, waiting inside the transaction of a batch that holds `entity`, time to be frozen."""

    async def apply(connection: Connection, events: Sequence[Order]) -> Applied:
        applied = await subscription.apply(connection, events)
        if entity is not None and any(order.entity == entity for order in events):
            await connection.execute("SET LOCAL application_name = 'holding'")
            await asyncio.sleep(HOLD_S)
        return applied

    return replace(subscription, apply=apply)
