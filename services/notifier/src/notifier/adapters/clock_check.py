"""Whether this machine's clock and the database's agree well enough to send by (design §7)."""

import asyncio

import asyncpg
import structlog

from chassis.clock import Clock
from chassis.database import unavailable
from chassis.errors import Unavailable
from notifier.adapters import sql

log: structlog.stdlib.BoundLogger = structlog.get_logger()

MOST_S = 5.0
EVERY_S = 5.0


class ClockCheck:
    """Compares the unstepped clock with PostgreSQL's, again and again."""

    def __init__(self, pool: asyncpg.Pool, clock: Clock) -> None:
        self._pool, self._clock = pool, clock
        self._reason: str | None = "the clocks were not compared yet"

    def reason(self) -> str | None:
        """Return why nothing may be claimed, or None."""
        return self._reason

    async def compare(self) -> None:
        """Compare once.

        Raises:
            Unavailable: The database does not answer; the last finding stands.
        """
        before = self._clock.unstepped()
        with unavailable():
            there = await self._pool.fetchval(sql.MACHINE_TIME)
        after = self._clock.unstepped()
        differs_s = max((there - after).total_seconds(), (before - there).total_seconds())
        self._reason = f"this clock and PostgreSQL's differ by {differs_s:.1f} s" if differs_s > MOST_S else None

    async def run(self, stop: asyncio.Event) -> None:
        """Compare every few seconds until `stop`."""
        while not stop.is_set():
            try:
                await self.compare()
            except Unavailable as error:
                log.warning("clock_check.unavailable", code=error.code)
            try:
                async with asyncio.timeout(EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue
