"""How a process lives: uvloop, logs, signals, exit codes."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import NoReturn

import typer
import uvloop

from chassis.process import logs
from chassis.process.errors import Misconfigured
from chassis.process.setting_list import unread
from chassis.process.settings import ServiceSettings

PROGRAM = "ATTEND_PROGRAM"
"""The variable by which `attend`, where it hands a command on, has it name what was typed."""


def main(app: typer.Typer) -> None:
    """Run the command of a service: `python -m <service>`, unless it was handed on."""
    app(prog_name=os.environ.get(PROGRAM))


EXIT_MISCONFIGURED = 78
"""sysexits.h EX_CONFIG."""
DRAIN_S = 10.0
"""After a signal: stop taking, finish the batch, commit, leave; then the process ends all the same, within so long.

What waits then waits for a server that stands still: nothing that it had not committed is lost, all of it is read or
sent again."""
_TO_END_S = 0.5
"""Of these, for the process itself."""


def calm_collector() -> None:
    """Let Python's cycle collector look less often: our batches are large, short-lived and without cycles.

    At its usual thresholds it took a third of the records consumer's CPU (33 to 35 µs an event, 23 to 25 after).
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def run(service: str, settings: ServiceSettings, main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run `main(stop)` until it returns, SIGTERM or SIGINT; end the process with its exit code.

    Exit codes: 0 after a clean end, and after a signal whatever it still waited for; 78 when misconfigured; 1 after any
    other error.
    """
    logs.configure(service, settings.log_level, settings.log_format)
    calm_collector()
    log = logs.get_logger()
    for variable, near in unread(type(settings), os.environ):
        log.warning("settings.unknown", variable=variable, did_you_mean=near)
    try:
        uvloop.run(_guarded(main))
    except Misconfigured as error:
        log.error("service.misconfigured", reason_text=error.message)
        sys.exit(EXIT_MISCONFIGURED)
    except Exception:  # the outermost loop: say it and end, the supervisor restarts
        log.exception("service.failed")
        sys.exit(1)
    log.info("service.stopped")


async def _guarded(main: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    stop, signals = asyncio.Event(), list[int]()
    loop = asyncio.get_running_loop()

    def told(number: int) -> None:
        signals.append(number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)
    working = asyncio.ensure_future(main(stop))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await asyncio.wait({working}, timeout=DRAIN_S - _TO_END_S)
    if not working.done():
        _cut_off(0 if signals else 1)
    try:
        working.result()
    except* Misconfigured as group:
        raise _first(group) from None
    finally:
        stopping.cancel()


def _cut_off(code: int) -> NoReturn:
    """End the process as it is: cancelled, its parts would wait for the same servers once more to say goodbye."""
    names = sorted(task.get_name() for task in asyncio.all_tasks())
    logs.get_logger().warning("service.cut_off", waiting=names, drain_s=DRAIN_S)
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


def _first(group: BaseExceptionGroup[Misconfigured]) -> Misconfigured:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    assert isinstance(error, Misconfigured)  # noqa: S101  # the group holds nothing else
    return error
