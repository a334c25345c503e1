"""Whether this machine's clock agrees with the others' well enough to decide by it (design §7).

A process whose clock is hours off gives up what is still in time and sends what is not due. So each compares its clock
with that of the store it writes to, and decides nothing by time while they differ. Domain time may be stepped; what is
compared is the machine's own.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.health import Health
from chassis.process.logs import get_logger

MOST_S = 5.0
"""More than any machine with a time service is off, less than the shortest lead of a decision."""
EVERY_S = 5.0

_MACHINE_TIME = "SELECT clock_timestamp()"


class ClockCheck:
    """What comparing this machine's clock with another one found.

    Args:
        clock: Of this process; its unstepped time counts.
        other: Whose clock it is compared with, as a reason names it.
        monotonic: Seconds of a clock that nobody sets: by it a clock that was set since is noticed at once.
    """

    def __init__(self, clock: Clock, other: str, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._other = other
        self._monotonic = monotonic
        self._differs_s: float | None = None
        self._at = clock.unstepped(), monotonic()

    def reason(self) -> str | None:
        """Return why nothing may be decided by time, or None."""
        if self._differs_s is None:
            return f"this clock and {self._other} were not compared yet"
        if self._differs_s > MOST_S:
            return f"this clock and {self._other} differ by {self._differs_s:.1f} s"
        then, began = self._at
        was_set_s = (self.clock.unstepped() - then).total_seconds() - (self._monotonic() - began)
        return f"this clock was set by {was_set_s:.1f} s" if abs(was_set_s) > MOST_S else None

    def note(self, before: datetime, there: datetime, after: datetime) -> None:
        """Take a reading of the other clock, made between two of this one."""
        agreed = self._differs_s is not None and self._differs_s <= MOST_S
        self._differs_s = max((there - after).total_seconds(), (before - there).total_seconds())
        self._at = after, self._monotonic()
        if agreed != (self._differs_s <= MOST_S):
            tell = get_logger().warning if agreed or self._differs_s > MOST_S else get_logger().info
            tell("clocks.compared", other=self._other, differs_s=round(max(0.0, self._differs_s), 1))

    @property
    def age_s(self) -> float:
        """Seconds of the machine since the last reading, or since it was made."""
        return self._monotonic() - self._at[1]

    def watch(self, health: Health) -> None:
        """Make the process not ready while nothing may be decided."""
        health.add_check("clocks", self.reason)


class DatabaseClockCheck(ClockCheck):
    """Compares with PostgreSQL's clock, again and again."""

    def __init__(self, pool: Pool, clock: Clock) -> None:
        super().__init__(clock, "PostgreSQL's")
        self._pool = pool

    async def compare(self) -> None:
        """Compare once."""
        before = self.clock.unstepped()
        there = await self._pool.fetchval(_MACHINE_TIME)
        self.note(before, there, self.clock.unstepped())

    async def run(self, stop: asyncio.Event) -> None:
        """Compare every few seconds until `stop`."""
        while not stop.is_set():
            try:
                await self.compare()
            except Unavailable as error:
                get_logger().warning("clocks.unavailable", code=error.code)
            try:
                async with asyncio.timeout(EVERY_S):
                    await stop.wait()
            except TimeoutError:
                continue


class AgreedClock:
    """Domain time for those who decide by it: there is none while the clocks differ."""

    def __init__(self, clock: Clock, check: ClockCheck) -> None:
        self._clock = clock
        self._check = check

    @property
    def epoch(self) -> int:
        """See `Clock`."""
        return self._clock.epoch

    def now(self) -> datetime:
        """See `Clock`."""
        if (reason := self._check.reason()) is not None:
            raise Unavailable("CLOCKS_DIFFER", reason)
        return self._clock.now()

    def unstepped(self) -> datetime:
        """See `Clock`."""
        return self._clock.unstepped()
