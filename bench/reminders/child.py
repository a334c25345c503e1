"""The worker as `python -m reminders worker` runs it, with a ticker beside it that notes how late it wakes.

`python -m bench.reminders.child TICKS` reads the same environment and writes to the file TICKS, every second, the
machine time, the lateness and the process's CPU time (user and system, all threads) of each tick, in seconds.
"""

import asyncio
import sys
import time
from array import array
from pathlib import Path

from chassis.process.lifecycle import run
from chassis.process.settings import load
from reminders.settings import Settings
from reminders.wiring import run_worker

TICK_S = 0.005
WRITTEN_EVERY = 200
"""Ticks between two writes: about a second. A write of 5 KB into a file takes some microseconds."""


async def _tick(path: Path) -> None:
    noted = array("d")
    with path.open("ab") as file:
        while True:
            due = time.monotonic() + TICK_S
            await asyncio.sleep(TICK_S)
            woken = time.monotonic()
            noted.extend((woken, max(0.0, woken - due), time.process_time()))
            if len(noted) >= 3 * WRITTEN_EVERY:
                file.write(noted.tobytes())
                file.flush()
                noted = array("d")


async def _work(stop: asyncio.Event) -> None:
    ticking = asyncio.create_task(_tick(Path(sys.argv[1])))
    try:
        await run_worker(load(Settings), stop)
    finally:
        ticking.cancel()


if __name__ == "__main__":
    run("reminders-worker", load(Settings), _work)
