"""Two workers that share the partitions, on the cores of this machine, over one backlog."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bench.reminders.intake import LONGEST_S, LOOK_S
from bench.reminders.place import PARTITIONS, Place, wall_s
from bench.reminders.worker import LIVE, LONGEST_START_S, Worker
from schemas.topics import REMINDERS


@dataclass(frozen=True, slots=True)
class Together:
    """One run of some workers over a backlog.

    Attributes:
        per_s: Events a second of all, from the thaw to the last commit.
        cpu_us: CPU microseconds an event of their processes together.
        shares: Partitions of each.
    """

    per_s: float
    cpu_us: float
    shares: tuple[int, ...]


async def together(
    place: Place, workers: Sequence[Worker], fill: Callable[[], Awaitable[None]], events: int
) -> Together:
    """Wait until the workers share the partitions, freeze them while `fill` writes, thaw them, and wait for the end.

    Frozen for less than their session (6 s), they are members still, and all find the backlog whole.
    """
    await _share(workers)
    reminders = place.follow(REMINDERS)
    for one in workers:
        os.kill(one.pid, signal.SIGSTOP)
    try:
        await fill()
    finally:
        for one in workers:
            os.kill(one.pid, signal.SIGCONT)
    began, deadline = wall_s(), time.monotonic() + LONGEST_S
    while reminders.look() < events:
        for one in workers:
            one.check(deadline)
        await asyncio.sleep(LOOK_S)
    ended = max(batch.visible_s for tail in reminders.tails for batch in tail.committed)
    shares = tuple(map(_partitions, workers))
    if sum(shares) != PARTITIONS:
        raise RuntimeError(f"a worker was away too long: {shares} of {PARTITIONS} partitions; try fewer events")
    cpu_s = sum([(await one.window(began, ended)).cpu_s for one in workers])
    return Together(events / (ended - began), cpu_s / events * 1e6, shares)


async def _share(workers: Sequence[Worker]) -> None:
    deadline = time.monotonic() + LONGEST_START_S
    while sum(shares := [_partitions(one) for one in workers]) != PARTITIONS or not all(shares):
        for one in workers:
            one.check(deadline)
        await asyncio.sleep(LOOK_S)


def _partitions(one: Worker) -> int:
    line = one.said(LIVE)
    return 0 if line is None else int(line["partitions"])
