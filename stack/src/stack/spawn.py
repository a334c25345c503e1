"""Start a service's process: by the nursery while it lives, else as an interpreter of its own."""

import json
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
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


class Forked(Running):
    """A process that the nursery forked; its exit code comes from there."""

    def __init__(self, pid: int, log: Path, ended: Mapping[int, int]) -> None:
        """Take note of it; it may have ended already."""
        try:
            self.id = ProcessId.of(pid)
        except psutil.NoSuchProcess:
            self.id = ProcessId(pid, 0.0)
        self.log = log
        self._ended = ended

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal, None while it runs; 1 if the nursery died before it could say."""
        if self.id.pid in self._ended:
            return self._ended[self.id.pid]
        return None if self.id.find() else self._ended.get(self.id.pid, 1)


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
        self._pids: queue.Queue[int] = queue.Queue()
        self._ended: dict[int, int] = {}
        self._one_at_a_time = threading.Lock()
        threading.Thread(target=self._listen, name="nursery", daemon=True).start()

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
                pid = self._pids.get(timeout=ANSWER_S)
            return Forked(pid, log, self._ended)
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

    def _listen(self) -> None:
        for line in self._popen.stdout or ():
            told = json.loads(line)
            if "ended" in told:
                self._ended[told["ended"]] = told["code"]
            else:
                self._ended.pop(told["pid"], None)  # of an earlier process with this id
                self._pids.put(told["pid"])
