"""How fast what waits in the source becomes durable rows and published plans."""

import asyncio
import time
from dataclasses import dataclass

from bench.reminders.place import Broker, Place, wall_s
from bench.reminders.worker import Worker
from schemas.topics import REMINDERS, TIMERS_CHANGELOG

LONGEST_S = 180
LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Taken:
    """One run over a backlog.

    Attributes:
        per_s: Events a second, from the instant in which the partitions were live to the last commit.
        cpu_us: CPU microseconds an event of the worker's process.
        broker_share: The broker's part of the machine's cores meanwhile.
        broker_us: CPU microseconds an event of the broker's process.
        stall_p99_ms: Of the worker's event loop.
        stall_max_ms: The same, the worst.
        rows: Rows written for each event: below 1 where a batch holds two versions of one appointment.
        aborted: Records in aborted transactions.
        mean_batch: Events in a transaction, on average.
    """

    per_s: float
    cpu_us: float
    broker_share: float
    broker_us: float
    stall_p99_ms: float
    stall_max_ms: float
    rows: float
    aborted: int
    mean_batch: float


class Spent:
    """The broker's CPU over a stretch of time."""

    def __init__(self, broker: Broker, cores: int) -> None:
        self._broker, self._cores = broker, cores
        self._wall, self._cpu = time.monotonic(), broker.cpu_s()

    def so_far(self) -> tuple[float, float]:
        """Return its CPU seconds, and their share of all cores' time."""
        cpu = self._broker.cpu_s() - self._cpu
        return cpu, cpu / (time.monotonic() - self._wall) / self._cores


async def drained(place: Place, running: Worker, events: int, cores: int) -> Taken:
    """Wait for a worker that just started until `events` waiting records are durable, and say how it went.

    Each gives one `planned` event and one row; both are counted in the broker's log, by their commits.
    """
    reminders, changelog = place.follow(REMINDERS), place.follow(TIMERS_CHANGELOG)
    before = changelog.look()
    line = await running.live()
    spent, deadline = Spent(place.broker, cores), time.monotonic() + LONGEST_S
    while reminders.look() < events:
        running.check(deadline)
        await asyncio.sleep(LOOK_S)
    broker_s, share = spent.so_far()
    changelog.look()
    batches = [batch for tail in reminders.tails for batch in tail.committed]
    began, ended = line["at_s"], max(batch.visible_s for batch in batches)
    window = await running.window(began, ended)
    rows = sum(tail.records for tail in changelog.tails) - before
    commits = len({(batch.visible_s, number) for number, t in enumerate(reminders.tails) for batch in t.committed})
    return Taken(
        per_s=events / (ended - began),
        cpu_us=window.cpu_s / events * 1e6,
        broker_share=share,
        broker_us=broker_s / events * 1e6,
        stall_p99_ms=window.stall_p99_ms,
        stall_max_ms=window.stall_max_ms,
        rows=rows / events,
        aborted=sum(tail.aborted for tail in reminders.tails),
        mean_batch=events / commits,
    )


def until_s(instant_s: float) -> float:
    """Return the seconds from now to an instant given in seconds since 1970."""
    return max(0.0, instant_s - wall_s())
