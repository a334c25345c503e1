"""A partition's records are applied in order, and what fails is never passed over (G8)."""

import asyncio
from collections.abc import Callable
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from chassis.breaker import Breaker
from chassis.errors import Unavailable
from chassis.offsets import Overtaken
from chassis.partition import Partition


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


def partition(batch: FakeBatch) -> Partition:
    one: Any = batch
    made = Partition(TopicPartition("t", 0), one, one, Breaker(), asyncio.Semaphore(1), lambda: None)
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

    assert (batch.applied, made.sought, made.fault) == ([], False, None)


async def test_a_fault_of_the_core_itself_is_kept_and_nothing_after_it_is_applied() -> None:
    fault = ZeroDivisionError()
    batch = FakeBatch(fault)
    made = partition(batch)

    made.give(records(4, 5))
    await finished(made)
    made.give(records(6))
    await finished(made)

    assert made.fault is fault
    assert (batch.applied, made.held) == ([], 4)


async def test_given_up_it_finishes_the_batch_in_flight_and_takes_no_more() -> None:
    batch = FakeBatch()
    made = partition(batch)
    made.give(records(4))

    await made.end()
    made.give(records(5))
    await finished(made)

    assert batch.applied in ([], [4])
