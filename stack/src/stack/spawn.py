"""Start a service's process: by the nursery while it lives, else as an interpreter of its own."""

import json
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import psutil

from stack.layout import python
from stack.process import Child, ProcessId, Running

ANSWER_S = 120  # the nursery's imports on a busy machine


class Spawn(Protocol):
    """Starts `python <arguments>` and returns the process."""

    def __call__(self, arguments: Sequence[str], env: Mapping[str, str], log: Path, folder: Path) -> Running:
        """Start it with these settings, its output in the log, in the folder."""


def own_interpreter(arguments: Sequence[str], env: Mapping[str, str], log: Path, folder: Path) -> Running:
    """Start it as an interpreter of its own."""
    return Child(python(*arguments), log, env, folder=folder)


@dataclass
class Exit:
    """What the nursery has told of the end of one of its processes: nothing so far, or the exit code."""

    code: int | None = None


class Forked(Running):
    """A process that the nursery forked; its exit code comes from there."""

    def __init__(self, pid: int, log: Path, told: Exit, nursery_lives: Callable[[], bool]) -> None:
        """Take note of it; it may have ended already."""
        try:
            self.id = ProcessId.of(pid)
        except psutil.NoSuchProcess:
            self.id = ProcessId(pid, 0.0)
        self.log = log
        self._told = told
        self._nursery_lives = nursery_lives

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal, None until the nursery has said; 1 if it died before it could."""
        if self._told.code is None and not self._nursery_lives() and not self.id.find():
            return 1
        return self._told.code


class Nursery:
    """The supervisor's side of `python -m stack.nursery`."""

    def __init__(self, log: Path) -> None:
        """Start it; its imports go on while other things start."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(  # noqa: S603  # our own command
                python("-m", "stack.nursery"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        self._forks: queue.Queue[tuple[int, Exit]] = queue.Queue()
        self._one_at_a_time = threading.Lock()
        self._listener = threading.Thread(target=self._listen, name="nursery", daemon=True)
        self._listener.start()

    def spawn(self, arguments: Sequence[str], env: Mapping[str, str], log: Path, folder: Path) -> Running:
        """Start `python <arguments>` by a fork; as an interpreter of its own if the nursery is gone."""
        wanted = {"arguments": list(arguments), "env": dict(env), "log": str(log), "folder": str(folder)}
        log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._one_at_a_time:
                stdin = self._popen.stdin
                if stdin is None or self._popen.poll() is not None:
                    return own_interpreter(arguments, env, log, folder)
                stdin.write(json.dumps(wanted).encode() + b"\n")
                stdin.flush()
                pid, told = self._forks.get(timeout=ANSWER_S)
            return Forked(pid, log, told, self._lives)
        except (OSError, queue.Empty):
            self._popen.kill()  # a late answer would be taken for the next one's
            return own_interpreter(arguments, env, log, folder)

    def close(self) -> None:
        """Let it end once its last process did."""
        if self._popen.stdin:
            self._popen.stdin.close()
        self._popen.wait()
        if self._popen.stdout:
            self._popen.stdout.close()

    def _lives(self) -> bool:
        return self._listener.is_alive()

    def _listen(self) -> None:
        exits: dict[int, Exit] = {}  # by pid, which an ended process may leave to a later one
        for line in self._popen.stdout or ():
            told = json.loads(line)
            if "ended" in told:
                exits.pop(told["ended"]).code = told["code"]
            else:
                exits[told["pid"]] = made = Exit()
                self._forks.put((told["pid"], made))
