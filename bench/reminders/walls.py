"""How long the timers keep the event loop: a partition as large as a twelfth of 10 M visits, without broker or disk.

`python -m bench.reminders.walls [ROWS]` prints, for each thing that is done to a whole partition, what it took and the
longest stretch in which nobody else had a turn. CPU time of the process, so that a busy machine shows less.
"""

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from itertools import batched
from random import Random
from typing import Any

from bench.harness import percentile
from chassis.process.lifecycle import calm_collector
from reminders.timers.emitter import AHEAD, Emitter
from reminders.timers.partition import Partition
from reminders.timers.ports import Fired, Message
from reminders.timers.row import NEVER, Row, pack, unpack
from reminders.timers.transaction import Transactions
from schemas.instants import instant

ROWS = 833_000
TOGETHER = 50_000
HOUR = 3_600_000_000
NOW = 1_800_000_000_000_000
KEEP = 72 * HOUR
AIM_MS = 20


class Turns:
    """A task that is always ready, and notes how long it waited for each turn, in seconds of CPU."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    async def run(self) -> None:
        """Take turns for ever."""
        last = time.process_time()
        while True:
            await asyncio.sleep(0)
            now = time.process_time()
            self.waits.append(now - last)
            last = now


async def measured(name: str, work: Any) -> None:
    """Await `work`, and print what it took and how long it kept others waiting."""
    turns = Turns()
    running = asyncio.create_task(turns.run())
    await asyncio.sleep(0)
    began = time.process_time()
    await work
    took = time.process_time() - began
    await asyncio.sleep(0)
    running.cancel()
    worst, p99 = max(turns.waits) * 1e3, percentile(turns.waits, 0.99) * 1e3
    print(
        f"{name:58} {took:8.2f} s {p99:8.2f} ms {worst:8.1f} ms{'' if worst <= AIM_MS else '  over the aim'}",
        flush=True,
    )


class Costly:
    """An owner whose decisions cost about what ours do: 12 µs to prepare, 5 µs to fire."""

    def take(self, *_: Any) -> Any:
        """Not used."""

    def prepare(self, _key: bytes, packed: bytes, _terms: Any) -> Any:
        """Return something."""
        return [unpack(packed) for _ in range(12)]

    def fire(self, due: Sequence[tuple[bytes, bytes]], _prepared: dict[bytes, Any], _terms: Any, _now: Any) -> Fired:
        """Mark all as fired."""
        fired = Fired()
        for key, packed in due:
            rows = [unpack(packed) for _ in range(5)]
            fired.rows[key] = pack(rows[0]._replace(next_due=NEVER))
            fired.messages.append((key, bytes(700), ()))
        fired.counts["handed_over"] = len(due)
        return fired

    def expect(self, due: Sequence[tuple[bytes, bytes]], _terms: Any, _now: Any) -> Counter[str]:
        """Count them."""
        return Counter(handed_over=sum(unpack(packed).version for _, packed in due))


class Nowhere:
    """A broker that takes everything at once."""

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        """Return offsets of nothing."""
        await asyncio.sleep(0)
        return dict.fromkeys(records, 0)


def row(wake: int, version: int = 1) -> bytes:
    """Return a row that is due then, of a visit a day later."""
    return pack(Row(version, version, wake, wake + 24 * HOUR, 1, b"\0"))


def some_wake(random: Random) -> int:
    """Return a moment within 60 days, on a slot of 5 minutes."""
    return NOW + HOUR + random.randrange(60 * 288) * HOUR // 12


def filled(random: Random, wakes: Iterable[int]) -> Partition:
    """Return a partition into which these rows were replayed, not indexed."""
    part = Partition(KEEP)
    part.terms.replay(1, b"terms")
    for wake in wakes:
        part.replay(random.getrandbits(128).to_bytes(16), row(wake))
    return part


async def indexed(random: Random, wakes: Iterable[int]) -> Partition:
    """Return a partition of these rows, ready."""
    part = filled(random, wakes)
    await part.index()
    return part


async def moves(part: Partition, keys: Sequence[bytes], random: Random) -> None:
    """Move rows, as a busy intake does, for two and a half times as many as there are."""
    for number in range(5 * len(keys) // 2):
        part.put(keys[number % len(keys)], row(some_wake(random), 2 + number))
        if number % 500 == 0:
            await asyncio.sleep(0)


async def looked_at(part: Partition) -> int:
    """Look at all keys as the reconciler does."""
    count = 0
    for some in batched(part.all_keys(), 5_000):
        count += sum(part.get(key) is not None for key in some)
        await asyncio.sleep(0)
    return count


def emitter_of(part: Partition, now: int) -> Emitter:
    """Return an emitter of this partition alone."""
    transactions = Transactions(lambda _: Nowhere(), "events", "changelog", lambda: None)

    def told(*_: Any) -> None:
        """Say nothing."""

    return Emitter(Costly(), transactions, lambda: {0: part}, lambda: instant(now), 1.0, told, told)


async def main(rows: int) -> None:
    """Measure all of it."""
    random = Random(1)
    calm_collector()
    print(f"{rows:,} rows; {TOGETHER:,} due together\n{'':58} {'CPU':>10} {'p99':>11} {'worst':>11}")
    part = filled(random, (some_wake(random) for _ in range(rows)))
    await measured("index of a partition that is new here", part.index())
    await measured("index of a partition that stayed", part.index())
    await measured("all keys, as the reconciler looks at them", looked_at(part))
    await measured("the soonest timer", part.next_due())
    await measured("moves until and after a sweep", moves(part, list(part.all_keys()), random))
    emitter = emitter_of(part, NOW + 70 * 24 * HOUR)
    await measured("what a long outage left is counted (B3)", emitter._tell_catch_up(NOW + 70 * 24 * HOUR))
    await measured("and fired", emitter._fire(0, part))
    for together in (TOGETHER // 2, TOGETHER):
        part = await indexed(random, [NOW] * together)
        emitter = emitter_of(part, NOW - AHEAD // timedelta(microseconds=1))
        await measured(f"{together:,} due together are prepared", emitter._prepare())
        await measured(f"{together:,} due together, prepared, are looked at again", emitter._prepare())
        await measured(f"{together:,} due together are fired", emitter_of(part, NOW)._fire(0, part))
    part = await indexed(random, [NOW] * rows)
    await measured("all due together are fired", emitter_of(part, NOW)._fire(0, part))


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
