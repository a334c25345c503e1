"""The transactional ids of partitions in which nothing happens, used now and then so that the broker keeps them.

The broker forgets a transactional id without a transaction for seven days (`transactional.id.expiration.ms`), and
refuses the next write of its owner with INVALID_PRODUCER_ID_MAPPING. A frozen worker whose partition moved gets the
same answer when its successor had to take the id anew, so a refused writer never takes it again: it ends, joins the
group, and recovers like any other. To spare an idle partition that end, its owner writes now and then.

The broker stamps what is written to the changelog with its own time. While a worker writes nothing at all, a sentinel
every few seconds asks for it: a clock that is off is noticed before the next timer is due.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping

from chassis.postgres.clock_check import ClockCheck
from chassis.process.logs import get_logger
from reminders.timers.partition import SENTINEL, Partition
from reminders.timers.recovery import Writers

EVERY_S = 86_400.0
"""Seconds of machine time without a write, after which an id is used: a seventh of what the broker allows."""

LOOKS = 24
"""Looks in that time, at least."""

READ_EVERY_S = 5.0
"""Seconds of machine time without a record that the broker stamped, after which one is written."""


class IdRefresh:
    """Writes a sentinel to live partitions that were long not written to."""

    def __init__(
        self,
        writers: Writers,
        changelog: str,
        partitions: Callable[[], Mapping[int, Partition]],
        every_s: float,
        clocks: ClockCheck | None = None,
    ) -> None:
        self._writers = writers
        self._changelog = changelog
        self._partitions = partitions
        self._every_s = every_s
        self._clocks = clocks

    async def run(self) -> None:
        """Look for ever. A write that fails ends it, and must end the process."""
        while True:
            await asyncio.sleep(min(self._every_s / LOOKS, READ_EVERY_S))
            kept = [number for number, part in self._idle(self._every_s) if await self._keep(number, part)]
            if kept:
                get_logger().info("timers.ids_kept", partitions=len(kept))
            await self.read_clock()

    async def read_clock(self) -> None:
        """Have the broker stamp a record, if none was stamped for a while."""
        if self._clocks is not None and self._clocks.age_s >= READ_EVERY_S:
            for number, part in self._idle(0):
                if await self._keep(number, part):
                    return

    def _idle(self, seconds: float) -> list[tuple[int, Partition]]:
        live = self._partitions().items()
        return [(number, part) for number, part in live if self._writers[number].idle_s >= seconds]

    async def _keep(self, number: int, part: Partition) -> bool:
        async with part.lock:
            if self._partitions().get(number) is not part:
                return False
            await self._writers[number].write({self._changelog: [(SENTINEL, secrets.token_bytes(16), ())]})
            return True
