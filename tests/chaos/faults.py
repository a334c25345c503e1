"""The faults: each ends a real process with kill -9."""

import asyncio

from stack.supervisor import System
from tests.chaos.load import Fault


def kill_service(system: System, name: str) -> Fault:
    """Return kill -9 of a service; the supervisor starts it again with backoff."""

    async def fault() -> None:
        await asyncio.to_thread(system.kill, name)

    return fault


def kill_kafka(system: System) -> Fault:
    """Return kill -9 of the broker, started again at once."""

    async def fault() -> None:
        assert system.kafka is not None
        await asyncio.to_thread(system.kafka.kill)
        await asyncio.to_thread(system.kafka.start)

    return fault


def kill_postgres(system: System) -> Fault:
    """Return kill -9 of PostgreSQL with whatever transactions are open, started again at once."""

    async def fault() -> None:
        assert system.postgres is not None
        await asyncio.to_thread(system.postgres.kill)
        await asyncio.to_thread(system.postgres.start)

    return fault
