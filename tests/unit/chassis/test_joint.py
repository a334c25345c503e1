"""What trickles in is applied in joint batches; what does not go through jointly is settled alone (G8, I3)."""

import asyncio
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from chassis.batch import Apart, Part
from chassis.breaker import Breaker
from chassis.errors import Unavailable
from chassis.joint import SMALL, Joint
from chassis.offsets import Overtaken
from chassis.partition import Partition

TOPIC: Any = SimpleNamespace(topic=SimpleNamespace(name="t"))


class FakeBatch:
    """Applies by moving positions; jointly it first raises what it was given, once each."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.joint: list[list[int]] = []
        self.alone: list[list[int]] = []

    async def together(self, _subscription: Any, parts: Sequence[Part]) -> None:
        await asyncio.sleep(0)
        if self.failures:
            raise self.failures.pop(0)
        self.joint.append([record.offset for part in parts for record in part.records])

    async def apply(self, _tp: Any, _s: Any, records: list[Any], _held: int, moved: Callable[[int], None]) -> None:
        self.alone.append([record.offset for record in records])
        moved(records[-1].offset + 1)


def partitions(batch: FakeBatch, count: int, monotonic: Callable[[], float] = lambda: 0.0) -> list[Partition]:
    one: Any = batch
    slots = asyncio.Semaphore(1)
    joint = Joint(TOPIC, one, slots, monotonic)
    made = [Partition(TopicPartition("t", n), TOPIC, one, Breaker(), slots, lambda: None, joint) for n in range(count)]
    for partition in made:
        partition.begin_at(0)
    return made


def records(*offsets: int) -> list[Any]:
    return [ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ()) for offset in offsets]


async def finished(made: Sequence[Partition]) -> None:
    async with asyncio.timeout(30):
        while any(partition.busy for partition in made):  # noqa: ASYNC110  # one turn of the loop, no poll
            await asyncio.sleep(0)


async def test_what_waits_in_several_partitions_is_one_transaction() -> None:
    batch = FakeBatch()
    made = partitions(batch, 3)

    for number, one in enumerate(made):
        one.give(records(number))
    await finished(made)

    assert (batch.joint, batch.alone) == ([[0, 1, 2]], [])
    assert [one.held for one in made] == [1, 2, 3]


async def test_what_comes_meanwhile_is_the_next_joint_batch_in_order() -> None:
    batch = FakeBatch()
    made = partitions(batch, 2)

    made[0].give(records(0))
    await asyncio.sleep(0)
    made[0].give(records(1))
    made[1].give(records(7))
    await finished(made)

    assert batch.joint[0] == [0]
    assert sorted(batch.joint[1]) == [1, 7]
    assert made[0].held == 2


async def test_what_does_not_go_through_jointly_is_applied_alone_before_what_came_later() -> None:
    for failure in (Apart(), Overtaken(), Unavailable("GONE", "the database"), ZeroDivisionError()):
        batch = FakeBatch(failure)
        made = partitions(batch, 2)

        made[0].give(records(0))
        made[1].give(records(5))
        await asyncio.sleep(0)
        made[0].give(records(1))
        await finished(made)

        assert batch.joint == []
        assert sorted(offset for alone in batch.alone for offset in alone) == [0, 1, 5]
        assert [one.held for one in made] == [2, 6]


async def test_many_records_of_one_partition_are_a_batch_of_their_own() -> None:
    batch = FakeBatch()
    made = partitions(batch, 1)

    made[0].give(records(*range(SMALL + 1)))
    await finished(made)

    assert (len(batch.joint), len(batch.alone)) == (0, 1)


async def test_what_gathered_while_a_joint_batch_ran_does_not_make_the_next_one_large() -> None:
    batch = FakeBatch()
    made = partitions(batch, 3)
    made[0].give(records(0))
    await asyncio.sleep(0)  # the first joint batch runs

    for one in made[1:]:
        one.give(records(0))
        one.give(records(*range(1, 4_001)))
    await finished(made)

    assert list(map(len, batch.joint)) == [1, 2 * SMALL]
    assert [one.held for one in made] == [1, 4_001, 4_001]


async def test_one_repeat_costs_its_batch_alone_and_what_follows_is_joint_again() -> None:
    batch = FakeBatch(Apart())
    made = partitions(batch, 2)

    for offset in range(3):
        for one in made:
            one.give(records(offset))
        await finished(made)

    assert (len(batch.alone), batch.joint) == (2, [[1, 1], [2, 2]])


async def test_repeat_upon_repeat_is_tried_jointly_once_a_second() -> None:
    now = [0.0]
    batch = FakeBatch(*[Apart() for _ in range(9)])
    made = partitions(batch, 2, lambda: now[0])

    for offset in range(12):
        for one in made:
            one.give(records(offset))
        await finished(made)
        now[0] += 0.25

    tried = 9 - len(batch.failures)
    assert tried == 4  # at 0 s, 0.25 s, then a second apart
    assert batch.joint == []
    assert [one.held for one in made] == [12, 12]


async def test_a_partition_given_up_waits_for_the_joint_batch_and_starts_nothing_new() -> None:
    batch = FakeBatch(Unavailable("GONE", "the database"))
    made = partitions(batch, 2)
    for one in made:
        one.give(records(0))
    await asyncio.sleep(0)

    await asyncio.gather(*(one.end() for one in made))
    await finished(made)

    assert (batch.joint, batch.alone) == ([], [])


async def test_what_is_distrusted_meanwhile_is_not_applied_again() -> None:
    batch = FakeBatch(Overtaken())
    made = partitions(batch, 1)
    made[0].give(records(0))
    await asyncio.sleep(0)

    made[0].distrust()
    await finished(made)

    assert (batch.alone, made[0].sought) == ([], False)
