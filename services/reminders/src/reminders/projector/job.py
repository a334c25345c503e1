"""The job that closes reminders without an outcome (G7) and forgets counts of minutes long past."""

import asyncio
from datetime import timedelta

from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.logs import get_logger
from reminders.projector.store import close_overdue, forget_forecast

EVERY_S = 60.0
"""Seconds of machine time between two rounds."""

FORECAST_KEPT = timedelta(days=2)
"""How long the count of a minute is kept after it, in domain time."""


async def close(pool: Pool, clock: Clock, stop: asyncio.Event) -> None:
    """Close and forget once a minute, until `stop` is set. A database that is away is logged, and asked again."""
    while not stop.is_set():
        try:
            closed = await close_overdue(pool, clock.now())
            await forget_forecast(pool, clock.now() - FORECAST_KEPT)
            if closed:
                get_logger().warning("reminders.closed", count=closed)
        except Unavailable as error:
            get_logger().warning("reminders.closing_unavailable", code=error.code)
        await _wait(stop, EVERY_S)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
