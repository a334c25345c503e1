"""A worker's process as the benchmark sees it: its log, memory, CPU and the ticks of its event loop."""

import asyncio
import json
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psutil

from bench.harness import percentile
from bench.reminders.place import Place, wall_s
from stack.ports import free_port
from stack.process import Child

LIVE = "timers.live"
LONGEST_START_S = 180
LOOK_S = 0.01


@dataclass(frozen=True, slots=True)
class Window:
    """What a worker did between two instants.

    Attributes:
        cpu_s: CPU of its process, user and system of all threads.
        stall_p99_ms: How late its event loop woke a 5 ms ticker.
        stall_max_ms: The worst of them.
    """

    cpu_s: float
    stall_p99_ms: float
    stall_max_ms: float


class Worker:
    """One running worker.

    Attributes:
        spawned_s: When its process was started, seconds since 1970.
    """

    def __init__(self, place: Place, number: int, slot: str) -> None:
        self._ticks = place.folder / f"ticks-{number}"
        self._ticks.touch()
        self.spawned_s = wall_s()
        command = [sys.executable, "-m", "bench.reminders.child", str(self._ticks)]
        self._child = Child(command, place.folder / f"worker-{number}.log", place.env(free_port(), slot))
        self._wall_of_monotonic = wall_s() - time.monotonic()

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._child.id.pid

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._child.kill()

    def stop(self) -> None:
        """End it in order."""
        self._child.stop()

    def rss(self) -> int:
        """Return its resident memory in bytes."""
        return int(psutil.Process(self.pid).memory_info().rss)

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the lines of its log; `at_s` is the time in seconds since 1970."""
        for text in self._child.log.read_text("utf-8", "replace").splitlines():
            try:
                line = json.loads(text)
                yield line | {"at_s": datetime.fromisoformat(line["timestamp"]).timestamp()}
            except (ValueError, KeyError, TypeError):
                continue

    def said(self, event: str) -> dict[str, Any] | None:
        """Return the last line of this event."""
        return next((line for line in reversed(list(self.lines())) if line["event"] == event), None)

    async def live(self) -> dict[str, Any]:
        """Wait until it has recovered all partitions, and return the line that says so.

        Raises:
            RuntimeError: It ended, or did not become live; its last words are in the message.
        """
        deadline = time.monotonic() + LONGEST_START_S
        while True:
            if (line := self.said(LIVE)) is not None and line.get("partitions"):
                return line
            self.check(deadline)
            await asyncio.sleep(LOOK_S)

    def check(self, deadline: float) -> None:
        """Raise RuntimeError with its last words if it has ended or the deadline (machine time) is over."""
        if not self._child.running or time.monotonic() > deadline:
            raise RuntimeError(f"the worker ended or hangs ({self._child.exit_code}):\n{self._child.last_words()}")

    def began_s(self) -> float | None:
        """Return when its event loop began to run, seconds since 1970; None before the first ticks are written."""
        ticks = self._read()
        return ticks[0] + self._wall_of_monotonic if ticks else None

    async def window(self, begin_s: float, end_s: float) -> Window:
        """Return what it did between two instants (seconds since 1970), once its ticks are written."""
        shift, ticks = self._wall_of_monotonic, self._read()
        deadline = time.monotonic() + 10
        while not ticks or ticks[-3] + shift < end_s:
            self.check(deadline)
            await asyncio.sleep(0.1)
            ticks = self._read()
        at = [woken + shift for woken in ticks[::3]]
        chosen = [n for n, woken in enumerate(at) if begin_s <= woken <= end_s]
        late = [ticks[3 * n + 1] * 1000 for n in chosen]
        cpu_s = ticks[3 * chosen[-1] + 2] - ticks[3 * max(0, chosen[0] - 1) + 2]
        return Window(cpu_s, percentile(late, 0.99), max(late))

    def _read(self) -> "array[float]":
        raw, ticks = self._ticks.read_bytes(), array("d")
        ticks.frombytes(raw[: len(raw) // 24 * 24])
        return ticks


@contextmanager
def worker(place: Place, number: int = 1, slot: str = "bench") -> Iterator[Worker]:
    """Run a worker for the block, with static membership under its slot's name."""
    running = Worker(place, number, slot)
    try:
        yield running
    finally:
        running.stop()
