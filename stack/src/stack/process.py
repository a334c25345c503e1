"""Operating-system processes, known by id *and* start time: an id alone is used again by the system."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from chassis.process.errors import Misconfigured
from stack.folders import NOBODY

START_TOLERANCE_S = 0.05  # create_time is counted in clock ticks of 10 ms


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process beyond doubt.

    Attributes:
        started: Its start time in seconds, as psutil gives it.
    """

    pid: int
    started: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """Return the identity of the process that has this pid now."""
        return cls(pid, psutil.Process(pid).create_time())

    def find(self) -> psutil.Process | None:
        """Return the process if this very one still runs; a zombie does not."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started) > START_TOLERANCE_S:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.NoSuchProcess:
            return None


def tree(identity: ProcessId) -> list[psutil.Process]:
    """Return the process and all below it, itself first; empty if it is gone."""
    process = identity.find()
    if process is None:
        return []
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def signal_tree(identity: ProcessId, number: int) -> None:
    """Send the signal to the process and all below it."""
    for process in tree(identity):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def end(identity: ProcessId, number: int, timeout_s: float) -> None:
    """Ask the process to end by this signal; what is left of it and its children after the time is killed."""
    members = tree(identity)
    if not members:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        members[0].send_signal(number)
        members[0].send_signal(signal.SIGCONT)  # a paused one could not obey
    _kill(psutil.wait_procs(members, timeout=timeout_s)[1])


def _kill(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def _lives(process: psutil.Process) -> bool:
    """Say whether it still runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Running(Protocol):
    """A process of ours, however it was started."""

    id: ProcessId
    log: Path

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal, None while it runs."""

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.exit_code is None

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end at most so long, and say whether it came."""
        deadline = time.monotonic() + timeout_s
        while self.running and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.running

    def stop(self, number: int = signal.SIGTERM, timeout_s: float = 15) -> None:
        """Ask it to end, then see that it did, and what it started as well."""
        below = tree(self.id)[1:]
        if self.running and (process := self.id.find()):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
                process.send_signal(signal.SIGCONT)  # a paused one could not obey
        if not self.wait(timeout_s):
            self.kill()
        _kill(psutil.wait_procs(below, timeout=0.5)[1])

    def kill(self) -> None:
        """End it and all below it at once, as kill -9 does, and see that nothing of it is left.

        It is frozen first: what it started meanwhile would be missed. A PostgreSQL started beside a dying process of
        the last one would write into the same files.
        """
        if process := self.id.find():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        below = tree(self.id)[1:]
        signal_tree(self.id, signal.SIGKILL)
        self.wait(10)
        deadline = time.monotonic() + 10
        while any(_lives(process) for process in below) and time.monotonic() < deadline:
            time.sleep(0.01)

    def pause(self) -> None:
        """Freeze it and all below it (SIGSTOP)."""
        signal_tree(self.id, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on (SIGCONT)."""
        signal_tree(self.id, signal.SIGCONT)

    def last_words(self, lines: int = 15) -> str:
        """Return the end of its log, for error messages."""
        with self.log.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - 8000))
            return "\n".join(stream.read().decode("utf-8", "replace").splitlines()[-lines:])


class Child(Running):
    """One process started by us, with its output in a file."""

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        env: Mapping[str, str] | None = None,
        *,
        folder: Path | None = None,
        as_nobody: bool = False,
    ) -> None:
        """Start it in `folder`, in a session of its own: a Ctrl-C in the terminal is ours to pass on, in order."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(  # noqa: S603  # commands of our own making, never a shell
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else dict(env),
                start_new_session=True,
                user=NOBODY if as_nobody else None,
                group=NOBODY if as_nobody else None,
                extra_groups=[] if as_nobody else None,
                cwd="/" if as_nobody else folder,
            )
        self.id = ProcessId.of(self._popen.pid)
        self.log = log

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal, None while it runs."""
        return self._popen.poll()


class OneProcess:
    """Something that is one process of ours at a time, none before its first start."""

    _child: Running | None = None
    _stop_signal: int = signal.SIGTERM
    _stop_timeout_s: float = 15

    @property
    def process(self) -> ProcessId | None:
        """Its process, None before the first start."""
        return self._child.id if self._child else None

    @property
    def running(self) -> bool:
        """Whether its process lives."""
        return self._child is not None and self._child.running

    def stuck(self) -> str:
        """Say why only a new start may help: a server is not asked."""
        return ""

    def last_words(self) -> str:
        """Return the end of its log."""
        return self._child.last_words() if self._child else ""

    def stop(self) -> None:
        """End it in order, or by force after a while."""
        if self._child:
            self._child.stop(self._stop_signal, self._stop_timeout_s)

    def kill(self) -> None:
        """End it and all below it at once, as kill -9 and a power cut do."""
        if self._child:
            self._child.kill()

    def pause(self) -> None:
        """Freeze it and all below it: connections stay open and nothing answers."""
        if self._child:
            self._child.pause()

    def resume(self) -> None:
        """Let a frozen one go on."""
        if self._child:
            self._child.resume()


def wait_until_up(
    child: Running, is_up: Callable[[], bool], what: str, timeout_s: float, every_s: float = 0.05
) -> None:
    """Wait until the child gives a real answer."""
    deadline = time.monotonic() + timeout_s
    while not is_up():
        if not child.running:
            raise Misconfigured(f"{what} ended with code {child.exit_code}. Its last words:\n{child.last_words()}")
        if time.monotonic() > deadline:
            raise Misconfigured(f"{what} gave no answer in {timeout_s:.0f} s. Its last words:\n{child.last_words()}")
        time.sleep(every_s)
