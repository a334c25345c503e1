"""The intake acknowledges what is durable, and only of partitions that are still its own."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from faust.types import Message as Record

from chassis.delivery.unreadable_limit import PER_MINUTE, Breaker
from reminders.timers.intake import SLICE, Intake
from reminders.timers.partition import Partition
from reminders.timers.ports import Fired, Message, Outcome, Taken
from reminders.timers.row import NEVER, Row, pack
from reminders.timers.transaction import Transactions

KEEP = 72 * 3_600_000_000


@dataclass
class Chunk:
    """Records of a partition, as the consumer hands them on."""

    value: list[bytes]
    partition: int = 0
    generation_id: int = 1


class Keeps:
    """An owner that keeps a row for each record."""

    def take(self, records: Sequence[Any], _held: Any, _terms: Any, taken: Taken | None = None) -> Taken:
        whole = taken or Taken()
        good = [record for record in records if not record.startswith(b"bad")]
        for record in good:
            whole.rows[record] = pack(Row(1, 1, NEVER, 0, 1, b"\0"))
        whole.outcomes[Outcome.APPLIED] += len(good)
        whole.outcomes[Outcome.DEAD] += len(records) - len(good)
        whole.faults += len(records) - len(good)
        return whole

    def prepare(self, *_: Any) -> Any:
        raise NotImplementedError

    def fire(self, *_: Any) -> Fired:
        raise NotImplementedError

    def expect(self, *_: Any) -> Counter[str]:
        raise NotImplementedError


@dataclass
class Stage:
    """An intake over one partition; `written`, `acknowledged` and `released` are what it did."""

    live: bool = True
    generation: int = 1
    part: Partition = field(default_factory=lambda: Partition(KEEP))
    written: list[bytes | None] = field(default_factory=list)
    acknowledged: list[Any] = field(default_factory=list)
    released: list[Any] = field(default_factory=list)
    counted: Counter[Outcome] = field(default_factory=Counter)
    partly: list[tuple[Any, int]] = field(default_factory=list)
    breaker: Breaker = field(default_factory=Breaker)

    def __post_init__(self) -> None:
        transactions = Transactions(lambda _: self, "events", "changelog", lambda: None)
        self.intake = Intake(
            Keeps(), transactions, lambda: {0: self.part} if self.live else {}, self, lambda: self.generation,
            self.counted.update, self.breaker,
        )  # fmt: skip

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        self.written += [key for key, _, _ in records["changelog"]]
        return dict.fromkeys(records, len(self.written))

    def acknowledge(self, message: Any) -> None:
        self.acknowledged.append(message)

    def acknowledge_before(self, message: Any, offset: int) -> None:
        self.partly.append((message, offset))

    def release(self, message: Any) -> None:
        self.released.append(message)

    async def take(self, *chunks: Chunk) -> None:
        """Let the intake run until it has nothing in hand."""
        running = asyncio.ensure_future(self.intake.run())
        for chunk in chunks:
            self.intake.take(cast(Record, chunk))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            while self.intake.busy:  # noqa: ASYNC110  # the condition is another's
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def chunk(*names: str, generation: int = 1) -> Chunk:
    return Chunk([name.encode().ljust(16) for name in names], generation_id=generation)


async def test_what_is_durable_is_acknowledged_in_its_order() -> None:
    stage, chunks = Stage(), [chunk("a", "b"), chunk("c")]
    await stage.take(*chunks)

    assert stage.acknowledged == chunks
    assert (len(stage.written), stage.counted[Outcome.APPLIED]) == (3, 3)


async def test_a_partition_that_is_not_live_is_let_go_unwritten() -> None:
    stage = Stage(live=False)
    await stage.take(chunk("a"))

    assert (stage.written, stage.acknowledged, len(stage.released)) == ([], [], 1)


async def test_a_partition_that_went_while_its_lock_was_waited_for_is_let_go_unwritten() -> None:
    """Its next owner has fenced us, and reads the record again."""
    stage = Stage()
    await stage.part.lock.acquire()
    taking = asyncio.ensure_future(stage.take(chunk("a")))
    for _ in range(20):
        await asyncio.sleep(0)

    stage.live = False
    stage.part.lock.release()
    await taking

    assert (stage.written, stage.acknowledged, len(stage.released)) == ([], [], 1)
    assert not stage.counted


async def test_a_partition_that_came_back_as_another_is_not_written_by_what_waited_for_the_old_one() -> None:
    stage, old = Stage(), Partition(KEEP)
    stage.part, new = old, stage.part
    await old.lock.acquire()
    offering = asyncio.ensure_future(stage.intake.offer(0, cast(Any, [b"a".ljust(16)])))
    await asyncio.sleep(0)

    stage.part = new
    old.lock.release()

    assert await offering == 0
    assert stage.written == []


@pytest.mark.parametrize("generation", [0, 2])
async def test_records_of_another_generation_are_let_go(generation: int) -> None:
    stage = Stage()
    await stage.take(chunk("a", generation=generation), chunk("b"))

    assert stage.written == [b"b".ljust(16)]
    assert len(stage.released) == 1


class Numbered(bytes):
    """A record that knows its offset."""

    offset = 0


def numbered(first: int, names: Sequence[str]) -> Chunk:
    records = [Numbered(name.encode().ljust(16)) for name in names]
    for offset, record in enumerate(records, first):
        record.offset = offset
    return Chunk(cast(list[bytes], records))


async def test_too_many_faults_stop_the_taking_where_they_are_and_nothing_behind_is_passed_over() -> None:
    stage = Stage()
    good, bad, late = numbered(0, ["a"]), numbered(1, ["bad"] * (SLICE + 50)), numbered(1 + SLICE + 50, ["z"])

    await stage.take(good, bad, late)

    assert (stage.acknowledged, stage.partly, stage.released) == ([good], [(bad, SLICE)], [late])
    assert stage.counted == {Outcome.APPLIED: 1, Outcome.DEAD: SLICE - 1}
    assert stage.breaker.is_open
    await stage.take(numbered(400, ["later"]))
    assert len(stage.released) == 2
    assert await stage.intake.offer(0, cast(Any, [b"b".ljust(16)])) == 0
    assert stage.written == [b"a".ljust(16)]


async def test_of_what_is_offered_it_is_told_how_much_was_taken() -> None:
    stage, bad = Stage(), numbered(0, ["bad"] * (SLICE + 50)).value

    stage.live = False
    assert await stage.intake.offer(0, cast(Any, [b"a".ljust(16)])) == 0
    stage.live = True
    assert await stage.intake.offer(0, cast(Any, [b"a".ljust(16), b"b".ljust(16)])) == 2
    assert await stage.intake.offer(0, cast(Any, bad)) == SLICE
    assert stage.written == [b"a".ljust(16), b"b".ljust(16)]


async def test_faults_beside_many_good_records_stop_nothing() -> None:
    stage = Stage()
    mixed = numbered(0, ["bad" if n % 50 == 0 else f"v{n}" for n in range(900)])

    await stage.take(mixed)

    assert (stage.acknowledged, stage.counted[Outcome.DEAD], stage.breaker.is_open) == ([mixed], 18, False)
    assert stage.counted[Outcome.DEAD] < PER_MINUTE
