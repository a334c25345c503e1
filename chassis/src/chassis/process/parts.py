"""The parts of one process: a door, consumers, relays, jobs. They fail apart (decision 0019)."""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Collection, Mapping

from chassis.process import logs
from chassis.process.backoff import Backoff
from chassis.process.errors import AttendError
from chassis.process.health import Health

type Run = Callable[[asyncio.Event], Awaitable[None]]
"""Runs a part until the event is set; it may be run again after it failed."""

DOOR, OPERATIONS = "http", "operations"
LISTENERS = (DOOR, OPERATIONS)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
STEADY_S = 10.0
"""A part that has run for so long again is well."""


async def run_all(
    stop: asyncio.Event,
    health: Health,
    parts: Mapping[str, Run],
    *,
    vital: Collection[str] = LISTENERS,
    monotonic: Callable[[], float] = time.monotonic,
) -> None:
    """Run the parts together until `stop`; one that fails is shown as not ready and run again, and the others go on.

    Args:
        health: Where a part that failed is shown, with its reason.
        vital: Parts without which the process is to end: its door, operations, by which it is asked how it is, and
            what cannot be run again in the same process.

    Raises:
        BaseExceptionGroup: What vital parts raised; the others were stopped and awaited. A part that was cancelled
            has failed: nobody else cancels one.
    """
    tasks = []
    for name, run in parts.items():
        if name in vital:
            work = _vital(run, stop)
        else:
            part = _Part(name, run, monotonic)
            health.add_check(f"part {name}", part.reason)
            work = part.keep(stop)
        tasks.append(asyncio.create_task(work, name=name))
    await asyncio.wait(tasks, return_when=asyncio.ALL_COMPLETED)
    errors = [error for task in tasks if (error := _error(task)) is not None]
    if errors:
        raise BaseExceptionGroup("parts failed", errors)


def _error(task: asyncio.Task[None]) -> BaseException | None:
    return RuntimeError(f"the part {task.get_name()} was cancelled") if task.cancelled() else task.exception()


def _asked() -> bool:
    """Whether the running task was told to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _vital(run: Run, stop: asyncio.Event) -> None:
    try:
        await run(stop)
    finally:
        stop.set()


class _Part:
    """Runs one part again and again, until it ends because it was told to."""

    def __init__(self, name: str, run: Run, monotonic: Callable[[], float]) -> None:
        self._name = name
        self._run = run
        self._monotonic = monotonic
        self._why: str | None = None
        self._well_at = math.inf
        self._log = logs.get_logger()

    def reason(self) -> str | None:
        """Why it is not ready, or None."""
        return self._why if self._monotonic() < self._well_at else None

    async def keep(self, stop: asyncio.Event) -> None:
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        while not stop.is_set():
            began = self._monotonic()
            self._well_at = began + STEADY_S
            try:
                await self._run(stop)
                why = "it ended by itself"
            except asyncio.CancelledError:
                if _asked():
                    raise
                why = "it was cancelled"  # in there, by nobody who wants the end
            except AttendError as error:
                why = error.message
            except Exception as error:
                if stop.is_set():
                    raise  # a crash is not to look like a clean stop
                why = type(error).__name__
                self._log.exception("part.failed", part=self._name)
            if stop.is_set():
                return
            if self._monotonic() - began > LONGEST_PAUSE_S:
                backoff.succeeded()
            backoff.failed()
            pause_s = backoff.pause_s()
            self._why, self._well_at = f"failed, and is run again: {why}", math.inf
            self._log.error("part.restarts", part=self._name, reason_text=why, after_s=pause_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await stop.wait()
