"""One life of a worker on a full table: recovery, changes, the burst, death and the next life."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import orjson

from bench.harness import percentile
from bench.reminders import load
from bench.reminders.intake import LOOK_S, Spent, Taken, drained, until_s
from bench.reminders.limits import reading
from bench.reminders.place import Place, wall_s
from bench.reminders.segments import Batch, Topic
from bench.reminders.worker import Window, Worker, worker
from bench.reminders.writing import fill, spread
from schemas.reminders import REMINDER_DUE
from schemas.topics import APPOINTMENTS, REMINDERS, TIMERS_CHANGELOG

AHEAD = timedelta(seconds=15)
"""How long before the burst domain time is stepped to it: nothing happens in the seconds just before."""

LONGEST_S = 120


@dataclass(frozen=True, slots=True)
class Recovered:
    """How a worker came to life.

    Attributes:
        rows: Rows of the table.
        process_s: From its start to its first turn of the event loop: Python, imports, settings.
        join_s: From there until it began to recover: broker, topics checked, group joined.
        fence_s: Transactional ids taken, sentinels written.
        replay_s: Rows read.
        index_s: Rows indexed.
        rest_s: From there until its timers were live.
        rss: Resident bytes then.
        window: From its first turn until then.
    """

    rows: int
    process_s: float
    join_s: float
    fence_s: float
    replay_s: float
    index_s: float
    rest_s: float
    rss: int
    window: Window


@dataclass(frozen=True, slots=True)
class Fired:
    """A burst.

    Attributes:
        late_s: Of each message: seconds from the due instant to its commit, by the broker's clock.
        wrong: Messages that should not be, and expected ones that are missing: ghosts, repeats, losses.
        broker_share: The broker's part of the cores in the second after the due instant.
        window: The worker's, in the same time.
    """

    late_s: list[float]
    wrong: int
    broker_share: float
    window: Window


@dataclass(frozen=True, slots=True)
class Reborn:
    """A death and what followed.

    Attributes:
        first_due_s: From kill -9 to the commit of the first hand-over afterwards.
        again: How the next process came to life.
        first_after_live_s: From its being live to that commit.
    """

    first_due_s: float
    again: Recovered
    first_after_live_s: float


async def furnish(place: Place, table: load.Table) -> None:
    """Write the table and the waiting changes."""
    place.step(load.NOW)
    await fill(place.broker.bootstrap, place.topic(TIMERS_CHANGELOG), table.changelog())
    await fill(place.broker.bootstrap, place.topic(APPOINTMENTS), spread(table.waiting()))


async def recovered(running: Worker) -> Recovered:
    """Wait until a worker that just started is live, and say how it came to that."""
    line = await running.live()
    rss = running.rss()
    told = running.said("timers.recovered")
    assert told is not None, "no line timers.recovered"
    began_s = running.began_s()
    while began_s is None:
        await asyncio.sleep(LOOK_S)
        began_s = running.began_s()
    inside = told["fence_s"] + told["replay_s"] + told["index_s"]
    return Recovered(
        rows=told["rows"],
        process_s=began_s - running.spawned_s,
        join_s=told["at_s"] - inside - began_s,
        fence_s=told["fence_s"],
        replay_s=told["replay_s"],
        index_s=told["index_s"],
        rest_s=line["at_s"] - told["at_s"],
        rss=rss,
        window=await running.window(began_s, line["at_s"]),
    )


async def fired(place: Place, running: Worker, table: load.Table, cores: int) -> Fired:
    """Step to the burst, wait for all of it, and compare what came with what had to come."""
    reminders = place.follow(REMINDERS)
    reminders.look()
    places, offsets = reminders.places(), _ends(reminders)
    place.step(load.BURST - AHEAD)
    due_s = place.machine_s(load.BURST)
    await asyncio.sleep(until_s(due_s) - 0.2)
    spent, deadline = Spent(place.broker, cores), time.monotonic() + LONGEST_S
    while sum(batch.records for batch in _after(reminders, places)) < table.burst:
        running.check(deadline)
        await asyncio.sleep(LOOK_S)
    share = spent.so_far()[1]
    await asyncio.sleep(1)  # ghosts would come now
    batches = _after(reminders, places)
    late_s = [batch.visible_s - due_s for batch in batches for _ in range(batch.records)]
    wrong = await _wrong(place, offsets, table)
    return Fired(late_s, wrong, share, await running.window(due_s - 0.5, due_s + max(1.0, percentile(late_s, 0.999))))


async def reborn(place: Place, table: load.Table, dying: Worker) -> Reborn:
    """Kill the worker amid a trickle of due timers, start the next at once, and wait for its first hand-over."""
    reminders = place.follow(REMINDERS)
    reminders.look()
    place.step(load.TRICKLE - timedelta(seconds=2))
    before = reminders.places()
    deadline = time.monotonic() + LONGEST_S
    while len(_after(reminders, before)) < 10:
        dying.check(deadline)
        await asyncio.sleep(LOOK_S)
    dying.kill()
    killed_s = wall_s()
    with worker(place, 2) as running:
        reminders.look()
        places = reminders.places()
        again = await recovered(running)
        while not (batches := [batch for batch in _after(reminders, places) if batch.visible_s >= running.spawned_s]):
            running.check(deadline)
            await asyncio.sleep(LOOK_S)
        first_s = min(batch.visible_s for batch in batches)
        line = await running.live()
    return Reborn(first_s - killed_s, again, first_s - line["at_s"])


def _after(topic: Topic, places: list[int]) -> Sequence[Batch]:
    topic.look()
    return topic.since(places)


def _ends(topic: Topic) -> list[int]:
    return [max((batch.first + batch.records for batch in tail.committed), default=0) for tail in topic.tails]


async def _wrong(place: Place, offsets: list[int], table: load.Table) -> int:
    """Read what was handed over after these offsets; return how many are missing, repeated or ghosts."""
    expected, found, extra = table.expected(), set[bytes](), 0
    async with reading(place.broker.bootstrap, place.topic(REMINDERS)) as reader:
        for tp in reader.assignment():
            reader.seek(tp, offsets[tp.partition])
        while batches := await reader.getmany(timeout_ms=1500):
            for record in (record for batch in batches.values() for record in batch):
                right = dict(record.headers).get("ce_type") == REMINDER_DUE.encode() and expected.get(
                    record.key
                ) == orjson.loads(record.value).get("version")
                extra += not right or record.key in found
                found.add(record.key)
    return extra + len(expected.keys() - found)


async def life(place: Place, table: load.Table, cores: int) -> tuple[Taken, Fired, Reborn]:
    """Live it all: a worker on the furnished place recovers, takes the changes, fires, dies, and is born again."""
    with worker(place) as running:
        taken = await drained(place, running, table.changes, cores)
        return taken, await fired(place, running, table, cores), await reborn(place, table, running)
