"""Start many Python processes quickly: one process imports what all of them need, then forks each.

Six services import the same libraries, a second and a half of work for each on its own. The nursery imports them once
and forks a process for each service, which then runs `python -m <package> <role>` as if it had been started so: with
its own settings, session, log and working folder. No service's own package is imported before the fork.

Requests come as JSON lines on standard input, one a process; answers go out as JSON lines: `{"pid": …}` for each
request, in order, and `{"ended": pid, "code": …}` when a process ended.
"""

import atexit
import contextlib
import gc
import importlib
import json
import logging
import os
import runpy
import selectors
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

SHARED = (
    "chassis.cli",
    "chassis.delivery.consumer",
    "chassis.status",
    "chassis.process.health",
    "chassis.api.app",
    "chassis.process.lifecycle",
    "chassis.process.metrics",
    "chassis.outbox.relay",
    "chassis.kafka.topics",
    "schemas.topics",
    "schemas.wire",
    "aiokafka.admin",
    "asyncpg",
    "fastapi",
    "prometheus_client",
    "pydantic_settings",
    "structlog",
    "typer",
    "uvicorn",
    "uvloop",
)
"""Libraries only; one that is missing or renamed costs time, nothing else."""


def main() -> None:
    """Serve until standard input ends and no process is left."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever a library prints is no answer
    for name in SHARED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    gc.freeze()  # the collector of a fork need not look at, and so copy, what all of them share
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _serve(answers, wake, (woken,))


def _serve(answers: BinaryIO, wake: int, others: tuple[int, ...]) -> None:
    alive: set[int] = set()
    rest, more = b"", True
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        while more or alive:
            ready = {key.fd for key, _ in selector.select()}
            if wake in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(wake, 4096)
            if more and 0 in ready:
                read = os.read(0, 65536)
                if not read:
                    more = False
                    selector.unregister(0)
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    alive.add(_fork(json.loads(line), answers, (answers.fileno(), wake, *others)))
            _reap(alive, answers)


def _fork(wanted: dict[str, Any], answers: BinaryIO, ours: tuple[int, ...]) -> int:
    pid = os.fork()
    if pid == 0:
        _become(wanted, ours)
    _answer(answers, {"pid": pid})
    return pid


def _reap(alive: set[int], answers: BinaryIO) -> None:
    for pid in list(alive):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            alive.discard(pid)
            _answer(answers, {"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _answer(answers: BinaryIO, message: dict[str, int]) -> None:
    with contextlib.suppress(BrokenPipeError):  # the supervisor was killed
        answers.write(json.dumps(message).encode() + b"\n")


def _become(wanted: dict[str, Any], ours: tuple[int, ...]) -> NoReturn:
    """Turn this fork into the wanted process; returns to nobody."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT):
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        os.setsid()
        _redirect(Path(wanted["log"]), ours)
        os.environ.clear()
        os.environ.update(wanted["env"])
        os.chdir(wanted["folder"])
        _, package, *arguments = wanted["arguments"]
        with contextlib.suppress(OSError):
            Path("/proc/self/comm").write_text(f"{package} {' '.join(arguments)}"[:15], "utf-8")
        sys.argv = [package, *arguments]
        runpy.run_module(package, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as asked:
        code = asked.code if isinstance(asked.code, int) else int(asked.code is not None)
    except BaseException:  # noqa: BLE001  # as the interpreter itself does with whatever nobody caught
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _redirect(log: Path, ours: tuple[int, ...]) -> None:
    """Read from nowhere, write to the log, and let go of the nursery's own ends."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((nowhere, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    for end in (nowhere, output, *ours):
        os.close(end)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # for the life of the process
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115


if __name__ == "__main__":
    main()
