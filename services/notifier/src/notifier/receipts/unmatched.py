"""Reports that came before their attempt's reference was known are matched by asking again now and then."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.receipts.handle import Receipts, match_waiting

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_S = 2.0
"""A reference comes with our own reply, at most one carrier timeout after the report."""
AT_ONCE = 500


class WaitingReceipts:
    """A part of the process that serves the callbacks; any number of them share the work."""

    def __init__(
        self, receipts: Receipts, clock: Clock, committed: Callable[[], None], every_s: float = EVERY_S
    ) -> None:
        self._receipts, self._clock, self._committed, self._every_s = receipts, clock, committed, every_s

    async def run(self, stop: asyncio.Event) -> None:
        """Look until `stop` is set; a database that is away for a while is waited for."""
        while not stop.is_set():
            try:
                heard = await match_waiting(self._receipts, AT_ONCE, self._clock.now())
                if heard.told:
                    self._committed()
            except Unavailable as error:
                log.warning("receipts.unavailable", code=error.code)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every_s)
