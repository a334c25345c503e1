"""When the reconciler runs in the worker, and what is told of it: metrics, status, one log line a pass."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Protocol

from chassis.process.errors import Unavailable
from chassis.process.health import Health
from chassis.process.logs import get_logger
from chassis.process.metrics import Metrics
from reminders.reconciler.domain import SETTLED_AFTER, Difference
from reminders.reconciler.handle import Found

RETRY_S = 60.0
"""After a pass that booking could not answer; and before the first one, so that a start is not held up."""

MENDED = (Difference.MISSING, Difference.DIFFERENT, Difference.UNWANTED)

OFF = "off: REMINDERS_BOOKING_URL and REMINDERS_BOOKING_KEY (the operator's key) are not set"


class Passes(Protocol):
    """What makes a pass: `reconciler.handle.Reconciler`."""

    async def reconcile(self) -> Found:
        """Make one pass; raises Unavailable while booking cannot answer."""


class ReconcilerJob:
    """Runs a reconciler now and then.

    Args:
        reconciler: None: it is off, and the status says why.
    """

    def __init__(self, reconciler: Passes | None, ready: Callable[[], bool], metrics: Metrics, every_s: float) -> None:
        self._reconciler = reconciler
        self._ready = ready
        self._every_s = every_s
        self._said = OFF if reconciler is None else "waiting for its first pass"
        self._total = 0
        self._behind = 0
        self._asked = self._answered = 0
        self._whole = False
        self._soon = asyncio.Event()
        told = "Differences of the timers from booking that were mended: missing, different, unwanted."
        self._mended = metrics.counter("reconciled", told, ("difference",))
        told = "Appointments that the last pass compared with booking's."
        self._compared = metrics.gauge("reconciler_compared", told)
        self._seconds = metrics.gauge("reconciler_pass_seconds", "What the last pass took.")
        for difference in MENDED:
            self._mended.labels(difference)

    def watch(self, health: Health) -> None:
        """Add what the status shows: the last pass in words, and how many differences were mended since the start."""

        async def said() -> str:
            return self._said

        async def total() -> int:
            return self._total

        health.add_check("reconciler", self.reason)
        health.add_status("reconciler", said)
        health.add_status("reconciled", total)

    @property
    def is_on(self) -> bool:
        """Whether passes are made."""
        return self._reconciler is not None

    def hasten(self) -> None:
        """Make a pass now: timers that are to wait here are not there."""
        self._asked += 1
        self._soon.set()

    def reason(self) -> str | None:
        """Why timers or booking are not to be relied on, by the last pass; None if they are."""
        if self._answered < self._asked:
            return "timers are missing here: they are planned by the next pass"
        if not self._behind:
            return None
        return f"booking's database is behind its topics: of {self._behind} appointments it lacks a version held here"

    async def run(self, stop: asyncio.Event) -> None:
        """Make passes until `stop` is set. That booking is away is told, and never ends the timers."""
        if self._reconciler is None:
            get_logger().warning("reconciler.off", reason=OFF)
            await stop.wait()
            return
        soon_s = min(RETRY_S, self._every_s)
        pause_s = soon_s
        while not await self._over(stop, pause_s):
            self._soon.clear()
            asked, made = self._asked, self._ready() and await self._pass(self._reconciler, stop)
            if made and self._whole:
                self._answered = asked
            pause_s = self._every_s if made and self._answered == self._asked else soon_s

    async def _pass(self, reconciler: Passes, stop: asyncio.Event) -> bool:
        """Make one pass that ends with `stop`; say whether it was made."""
        began = time.monotonic()
        passing = asyncio.ensure_future(reconciler.reconcile())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({passing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not passing.done():
            passing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await passing
            return False
        try:
            self._report(await passing, time.monotonic() - began)
        except Unavailable as error:
            self._said = f"waiting: {error.message}"
            get_logger().warning("reconciler.unavailable", code=error.code)
            return False
        return True

    async def _over(self, stop: asyncio.Event, seconds: float) -> bool:
        """Wait, no longer than until a pass is asked for; say whether `stop` was set meanwhile."""
        waiting = [asyncio.ensure_future(event.wait()) for event in (stop, self._soon)]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        return stop.is_set()

    def _report(self, found: Found, took_s: float) -> None:
        self._total += found.mended.total()
        self._compared.set(found.compared)
        self._seconds.set(took_s)
        self._behind = found.behind
        self._whole = found.left is None
        counts = {difference.value: found.mended[difference] for difference in MENDED}
        for name, number in counts.items():
            self._mended.labels(name).inc(number)
        words = ", ".join(f"{number} {name}" for name, number in counts.items())
        rest = (self.reason(), f"{found.unplannable} cannot be planned" if found.unplannable else None, found.left)
        self._said = "; ".join([f"compared {found.compared}: {words}", *filter(None, rest)])
        log = get_logger()
        tell = log.warning if found.mended or found.left or found.behind else log.info
        tell("reconciler.compared", compared=found.compared, took_s=round(took_s, 2), left=found.left,
             unplannable=found.unplannable, behind=found.behind, **counts)  # fmt: skip


async def settle() -> None:
    """Wait by the clock of the machine until a version may be called settled."""
    await asyncio.sleep(SETTLED_AFTER.total_seconds())
