"""The intake acknowledges what is durable, and only of partitions that are still its own."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from faust.types import Message as Record

from reminders.timers.intake import Intake
from reminders.timers.partition import Partition
from reminders.timers.ports import Fired, Message, Outcome, Taken
from reminders.timers.row import NEVER, Row, pack
from reminders.timers.writing import Writing

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
        for record in records:
            whole.rows[record] = pack(Row(1, 1, NEVER, 0, 1, b"\0"))
        whole.outcomes[Outcome.APPLIED] += len(records)
        return whole

    def prepare(self, *_: Any) -> Any:
        raise NotImplementedError

    def fire(self, *_: Any) -> Fired:
        raise NotImplementedError

    def expect(self, *_: Any) -> Counter[str]:
        raise NotImplementedError

    def upgrade(self, *_: Any) -> Any:
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

    def __post_init__(self) -> None:
        writing = Writing(lambda _: self, "events", "changelog", lambda: None)
        self.intake = Intake(
            Keeps(), writing, lambda: {0: self.part} if self.live else {}, self, lambda: self.generation,
            self.counted.update,
        )  # fmt: skip

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        self.written += [key for key, _, _ in records["changelog"]]
        return dict.fromkeys(records, len(self.written))

    def acknowledge(self, message: Any) -> None:
        self.acknowledged.append(message)

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

    assert await offering == Counter()
    assert stage.written == []


@pytest.mark.parametrize("generation", [0, 2])
async def test_records_of_another_generation_are_let_go(generation: int) -> None:
    stage = Stage()
    await stage.take(chunk("a", generation=generation), chunk("b"))

    assert stage.written == [b"b".ljust(16)]
    assert len(stage.released) == 1
