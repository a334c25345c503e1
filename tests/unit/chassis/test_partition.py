"""A partition's records are applied in order, and what fails is never passed over (G8)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from chassis.breaker import Breaker
from chassis.errors import Unavailable
from chassis.offsets import Overtaken
from chassis.partition import LOOK_AGAIN_S, Halt, Partition


class FakeBatch:
    """Applies by moving the position; first raises what it was given, once each."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.applied: list[int] = []

    async def apply(self, _tp: Any, _s: Any, records: list[Any], _held: int, moved: Callable[[int], None]) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.applied += [record.offset for record in records]
        moved(records[-1].offset + 1)


def partition(batch: FakeBatch, monotonic: Callable[[], float] = lambda: 0.0) -> Partition:
    one: Any = batch
    made = Partition(
        TopicPartition("t", 0), one, one, Breaker(), asyncio.Semaphore(1), lambda: None, monotonic=monotonic
    )
    made.begin_at(4)
    return made


def records(*offsets: int) -> list[Any]:
    return [ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ()) for offset in offsets]


async def finished(made: Partition) -> None:
    async with asyncio.timeout(30):
        while made.busy:  # noqa: ASYNC110  # one turn of the loop, no poll
            await asyncio.sleep(0)


async def test_records_are_applied_in_order_and_move_the_position() -> None:
    batch = FakeBatch()
    made = partition(batch)

    made.give(records(4, 5))
    made.give(records(9))  # a hole is no gap
    await finished(made)

    assert (batch.applied, made.held) == ([4, 5, 9], 10)


async def test_nothing_is_taken_before_the_seek() -> None:
    batch = FakeBatch()
    made = partition(batch)
    made.distrust()

    made.give(records(4))
    await finished(made)

    assert (batch.applied, made.hungry) == ([], False)


async def test_what_is_unavailable_is_tried_again_with_the_same_records() -> None:
    batch = FakeBatch(Unavailable("GONE", "the database"))
    made = partition(batch)

    made.give(records(4, 5))
    await finished(made)

    assert (batch.applied, made.trouble) == ([4, 5], None)


async def test_overtaken_forgets_what_was_fetched_and_asks_for_a_new_seek() -> None:
    batch = FakeBatch(Overtaken())
    made = partition(batch)

    made.give(records(4, 5))
    await finished(made)

    assert (batch.applied, made.sought, made.halt) == ([], False, None)


async def test_what_no_dead_letter_can_settle_lets_it_stand_still_and_is_tried_again_later() -> None:
    now = [0.0]
    batch = FakeBatch(ZeroDivisionError())
    made = partition(batch, lambda: now[0])

    made.give(records(4, 5))
    await finished(made)
    made.give(records(6))
    await finished(made)

    assert made.halt is not None
    assert (batch.applied, made.held, made.hungry, made.unsure) == ([], 4, False, False)
    now[0] += LOOK_AGAIN_S
    assert made.unsure

    made.begin_at(4)
    assert made.halt is not None  # shown until these records are applied
    made.give(records(4, 5))
    await finished(made)

    assert batch.applied == [4, 5]
    assert made.halt is None


UNREADABLE = Halt(7, "the batch cannot be read", 9)


async def test_standing_still_it_applies_what_it_has_and_takes_no_more() -> None:
    batch = FakeBatch()
    made = partition(batch)
    made.give(records(4, 5))
    made.stand_still(UNREADABLE)
    await finished(made)

    assert (batch.applied, made.held, made.hungry, made.halt) == ([4, 5], 6, False, UNREADABLE)


@pytest.mark.parametrize(("position", "over"), [(6, False), (7, False), (8, True), (9, True), (0, True)])
def test_it_stands_still_until_the_position_has_passed_or_was_set_back(position: int, over: bool) -> None:
    made = partition(FakeBatch())
    made.begin_at(6)
    made.stand_still(UNREADABLE)

    made.begin_at(position)

    assert made.hungry  # what came after may be readable now
    assert (made.halt is None) is over


def test_a_place_outside_of_the_topic_is_over_when_it_can_be_read_from() -> None:
    made = partition(FakeBatch())
    made.stand_still(Halt(4, "it begins at 9", 9, in_records=False))

    made.begin_at(4)

    assert made.halt is None


def test_a_halt_says_where_and_the_way_out() -> None:
    assert UNREADABLE.text(TopicPartition("a.t", 3)) == (
        "a.t[3] stands at 7: the batch cannot be read. "
        "To go on without: dead-letters skip a.t 3 --to 9 --by WHO --reason WHY"
    )


async def test_given_up_it_finishes_the_batch_in_flight_and_takes_no_more() -> None:
    batch = FakeBatch()
    made = partition(batch)
    made.give(records(4))

    await made.end()
    made.give(records(5))
    await finished(made)

    assert batch.applied in ([], [4])
