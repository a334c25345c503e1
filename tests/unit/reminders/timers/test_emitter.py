"""The emitter fires what is due when it is due, of partitions that are live, and lets others have their turn."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reminders.timers.emitter import AHEAD, DECIDED_A_TURN, Emitter
from reminders.timers.partition import Partition
from reminders.timers.ports import Fired, Message
from reminders.timers.row import NEVER, Row, pack, unpack
from reminders.timers.transaction import Transactions
from schemas.instants import micros

DUE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
KEEP = timedelta(hours=72) // timedelta(microseconds=1)


def key(number: int) -> bytes:
    return number.to_bytes(16)


def row(due: datetime = DUE) -> bytes:
    return pack(Row(1, 1, micros(due), micros(due + timedelta(days=1)), 1, b"\0"))


class Said:
    """An owner that says which keys it fired, and when."""

    def __init__(self) -> None:
        self.fired: list[tuple[int, datetime]] = []
        self.ahead = 0
        self.prepared: list[int] = []
        self.turn = 0
        self.turns: list[int] = []
        self.unreadable: set[bytes] = set()

    def take(self, *_: Any) -> Any:
        raise NotImplementedError

    def prepare(self, key: bytes, _packed: bytes, _terms: Any) -> Any:
        self.prepared.append(int.from_bytes(key))
        return "made"

    def fire(self, due: Sequence[tuple[bytes, bytes]], prepared: dict[bytes, Any], _terms: Any, now: datetime) -> Fired:
        fired = Fired(counts=Counter(handed_over=len(due)))
        self.turns.append(self.turn)
        for key, packed in due:
            if packed in self.unreadable:
                fired.aside[key] = "JSONDecodeError"
                continue
            self.fired.append((int.from_bytes(key), now))
            self.ahead += key in prepared
            fired.messages.append((key, b"due", ()))
            fired.rows[key] = pack(unpack(packed)._replace(next_due=NEVER))
        return fired

    def expect(self, due: Sequence[tuple[bytes, bytes]], _terms: Any, _now: datetime) -> Counter[str]:
        return Counter(handed_over=len(due))


class Broker:
    """Takes writes, once it is let to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.written: list[bytes | None] = []

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        await self.open.wait()
        self.written += [key for key, _, _ in records.get("events", ())]
        return dict.fromkeys(records, len(self.written))


@dataclass
class Stage:
    """An emitter that runs over one partition, in a time that the test sets."""

    part: Partition = field(default_factory=lambda: Partition(KEEP))
    now: datetime = DUE - timedelta(hours=1)
    live: bool = True
    owner: Said = field(default_factory=Said)
    broker: Broker = field(default_factory=Broker)
    told: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        transactions = Transactions(lambda _: self.broker, "events", "changelog", lambda: None)
        self.emitter = Emitter(
            self.owner, transactions, lambda: {0: self.part} if self.live else {}, lambda: self.now, 0.001,
            lambda counts, due, now: self.told.append(("fired", counts, due, now)),
            lambda counts: self.told.append(("expected", counts)),
            lambda: self.told.append(("lacking",)),
        )  # fmt: skip

    async def at(self, now: datetime) -> list[int]:
        """Set the time, let the emitter look at it, and return the keys fired since."""
        before, self.now = len(self.owner.fired), now
        running = asyncio.ensure_future(self.emitter.run())
        for _ in range(20):
            await asyncio.sleep(0.001)  # the emitter's own look
            if running.done():
                running.result()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return [key for key, _ in self.owner.fired[before:]]


@pytest.fixture
async def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize("before", [timedelta(microseconds=1), SECOND, AHEAD - SECOND, AHEAD, timedelta(minutes=59)])
async def test_nothing_fires_before_its_instant_prepared_or_not(stage: Stage, before: timedelta) -> None:
    stage.part.put(key(1), row())

    assert await stage.at(DUE - before) == []
    assert await stage.at(DUE) == [1]
    assert await stage.at(DUE + SECOND) == []


async def test_each_fires_at_its_own_instant_though_they_were_prepared_together(stage: Stage) -> None:
    for number in range(1, 10):
        stage.part.put(key(number), row(DUE + number * SECOND))

    assert [await stage.at(DUE + number * SECOND) for number in range(10)] == [[], *([n] for n in range(1, 10))]
    assert sorted(stage.owner.prepared) == list(range(1, 10))
    assert stage.owner.ahead == 9


async def test_what_was_prepared_is_prepared_once(stage: Stage) -> None:
    stage.part.put(key(1), row())

    for before in (9, 6, 3):
        await stage.at(DUE - before * SECOND)

    assert stage.owner.prepared == [1]


async def test_a_partition_that_goes_while_it_waits_for_its_turn_is_not_fired(stage: Stage) -> None:
    stage.part.put(key(1), row())
    await stage.part.lock.acquire()
    stage.now = DUE
    running = asyncio.ensure_future(stage.emitter.run())
    for _ in range(20):
        await asyncio.sleep(0)

    stage.live = False
    stage.part.lock.release()
    for _ in range(20):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert stage.owner.fired == []
    assert stage.broker.written == []


async def test_the_lock_is_held_until_what_was_fired_is_written(stage: Stage) -> None:
    stage.part.put(key(1), row())
    stage.broker.open.clear()
    stage.now = DUE
    running = asyncio.ensure_future(stage.emitter.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert stage.owner.fired
    waiting = asyncio.ensure_future(stage.part.lock.acquire())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiting.done()

    stage.broker.open.set()
    await asyncio.wait_for(waiting, 5)
    assert stage.broker.written == [key(1)]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_is_told_says_when_it_was_due_and_when_it_left(stage: Stage) -> None:
    stage.part.put(key(1), row())
    await stage.at(DUE + 3 * SECOND)

    assert stage.told == [("fired", Counter(handed_over=1), [micros(DUE)], DUE + 3 * SECOND)]


@pytest.mark.parametrize(("late", "told"), [(59 * SECOND, []), (60 * SECOND, [("expected", Counter(handed_over=3))])])
async def test_b3_what_an_outage_left_is_told_before_the_first_of_it_is_fired(
    stage: Stage, late: timedelta, told: list[Any]
) -> None:
    for number in range(3):
        stage.part.put(key(number), row(DUE + number * SECOND))
    await stage.at(DUE + late)

    assert [one for one in stage.told if one[0] == "expected"] == told
    assert stage.told[0][0] == ("expected" if told else "fired")


async def test_thousands_due_together_are_all_fired_and_others_have_a_turn_between_slices(stage: Stage) -> None:
    for number in range(12_000):
        stage.part.put(key(number), row())
    stage.now = DUE
    running = asyncio.ensure_future(stage.emitter.run())
    async with asyncio.timeout(30):
        while len(stage.broker.written) < 12_000:
            await asyncio.sleep(0)
            stage.owner.turn += 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert sorted(number for number, _ in stage.owner.fired) == list(range(12_000))
    assert len(set(stage.owner.turns)) == len(stage.owner.turns) >= 12_000 / DECIDED_A_TURN


async def test_a_row_of_which_nothing_can_be_said_is_set_aside_once_and_the_others_fire(stage: Stage) -> None:
    odd = row(DUE - SECOND)
    stage.owner.unreadable = {odd}
    stage.part.put(key(1), odd)
    stage.part.put(key(2), row())

    assert await stage.at(DUE) == [2]

    assert stage.part.aside == {key(1): "JSONDecodeError"}
    assert stage.part.get(key(1)) == odd, "it is kept as it is"
    assert stage.broker.written == [key(2)]
    assert stage.told.count(("lacking",)) == 1
    ((_, _, dues, _),) = [told for told in stage.told if told[0] == "fired"]
    assert dues == [micros(DUE)], "nothing is late that did not leave"
    assert await stage.at(DUE + SECOND) == []
    assert stage.told.count(("lacking",)) == 1


@pytest.mark.parametrize("due", [DUE - SECOND, DUE, DUE + SECOND])
async def test_a_row_that_was_set_aside_fires_once_it_is_written_anew(stage: Stage, due: datetime) -> None:
    """At the same instant too, at which the index has it no more."""
    odd = row(DUE - SECOND)
    stage.owner.unreadable = {odd}
    stage.part.put(key(1), odd)
    assert await stage.at(DUE) == []

    stage.part.put(key(1), pack(unpack(row(due))._replace(terms=2)))

    assert stage.part.aside == {}
    assert await stage.at(DUE + SECOND) == [1]


async def test_a_row_that_was_set_aside_may_go(stage: Stage) -> None:
    odd = row(DUE - SECOND)
    stage.owner.unreadable = {odd}
    stage.part.put(key(1), odd)
    await stage.at(DUE)

    stage.part.drop(key(1))

    assert stage.part.aside == {}
