"""How the timers' process lives and ends: nothing that ends by itself looks like a clean stop."""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chassis.process.logs import get_logger

CRASH_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an end may take, in seconds of machine time.

    Attributes:
        stop_s: Faust's own stop, in which the last offsets are committed; then the process leaves all the same.
        end_s: A failed process ends by then whatever Faust and its clients do: one that had been frozen past its
            session was seen to hang in its stop for ever. Nothing is lost: what is not committed is not there.
    """

    stop_s: float = 9.0
    abandon_s: float = 4.0
    end_s: float = 8.0


class EngineFailed(RuntimeError):
    """Faust, the intake or the emitter failed. The process must end; what was not acknowledged is read again."""


type Ended = tuple[str, BaseException]
"""Name of a part, and why it ended."""


class Faust(Protocol):
    """What is used of `faust.App`."""

    @property
    def crashed(self) -> bool:
        """Whether a part of it failed, in whatever thread."""

    @property
    def crash_reason(self) -> BaseException | None:
        """Why."""

    async def start(self) -> None:
        """Start, and return."""

    async def stop(self) -> None:
        """Stop taking, finish what is in hand, commit and leave the group."""


async def live(
    app: Faust,
    parts: Mapping[str, Coroutine[Any, Any, None]],
    stop: asyncio.Event,
    let_go: Callable[[], None],
    patience: Patience = Patience(),
) -> None:
    """Run Faust and the parts until `stop` is set, then stop taking, finish what is in hand, commit and leave.

    Args:
        parts: The work beside it by name; none of it ends by itself.
        let_go: Called after a failure, before Faust is stopped: nothing more is to be fired or waited for.

    Raises:
        EngineFailed: Something ended by itself, be it while leaving. Nothing is committed beyond what is durable.
    """
    tasks = [asyncio.create_task(work, name=name) for name, work in {**parts, "faust": _lives(app)}.items()]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        ended = _ended(tasks)
        if ended is None:
            ended = await _leave(app, patience.stop_s) or _ended(tasks)
        if ended is not None:
            part, reason = ended
            get_logger().error("timers.failed", part=part, exc_info=reason)  # at once: the rest may hang
            _end_for_sure(patience.end_s)
            let_go()
            with contextlib.suppress(Exception, asyncio.CancelledError):
                async with asyncio.timeout(patience.abandon_s):
                    await app.stop()
            raise EngineFailed("the timers' process ends") from reason
    finally:
        for task in [*tasks, stopping]:
            task.cancel()
        await asyncio.gather(*tasks, stopping, return_exceptions=True)


async def _lives(app: Faust) -> None:
    """Start Faust, and end with its failure."""
    starting = asyncio.create_task(app.start())
    try:
        while not app.crashed:  # set from Faust's other threads too: no event is safe
            await asyncio.wait([starting], timeout=CRASH_POLL_S)
            if starting.done():
                starting.result()
                await asyncio.sleep(CRASH_POLL_S)
        raise _crash(app)
    finally:
        starting.cancel()


async def _leave(app: Faust, within_s: float) -> Ended | None:
    """Stop Faust; return what went wrong."""
    try:
        async with asyncio.timeout(within_s):
            await app.stop()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise  # asked of us; whatever else is cancelled in there has failed
        return "leaving", error
    except Exception as error:  # noqa: BLE001  # it is told, and ends the process
        return "leaving", error
    return ("leaving", _crash(app)) if app.crashed else None


def _crash(app: Faust) -> EngineFailed:
    """Return an error of ours: Faust's own reason may be a cancellation, which ends a task as if all were well."""
    failed = EngineFailed("Faust failed")
    failed.__cause__ = app.crash_reason
    return failed


def _ended(tasks: Iterable[asyncio.Task[None]]) -> Ended | None:
    """Return which of these, none of which ends by itself, has ended, and why; None while all run."""
    for task in tasks:
        if task.done():
            by_itself = EngineFailed("it ended by itself")
            return task.get_name(), by_itself if task.cancelled() else task.exception() or by_itself
    return None


def _end_for_sure(after_s: float) -> None:
    """End the process with exit code 1 after that time, unless it has ended before."""
    end = threading.Timer(after_s, os._exit, (1,))
    end.daemon = True
    end.start()
