"""What one fetch brought is one transaction; what does not go through is settled partition by partition (G8, 0031)."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka import TopicPartition

from chassis.delivery.batch import Part
from chassis.delivery.offsets import Overtaken
from chassis.delivery.unreadable_limit import PER_MINUTE, Breaker
from chassis.kafka.halt import LOOK_AGAIN_S
from tests.unit.chassis.delivery.batches import GONE, FakeBatch, applied, applying, partitions, records


async def test_what_one_fetch_brought_of_several_partitions_is_one_transaction() -> None:
    batch, made = FakeBatch(), partitions(3)

    await applied(applying(batch), {made[0]: records(4, 5), made[1]: records(4), made[2]: records(9)})

    assert batch.tried == [[(0, 4), (0, 5), (1, 4), (2, 9)]]
    assert [one.held for one in made] == [6, 5, 10]  # a hole is no gap


@pytest.mark.parametrize("failure", [Overtaken(), GONE, ZeroDivisionError()])
async def test_what_does_not_go_through_together_is_applied_partition_by_partition(failure: Exception) -> None:
    batch, made = FakeBatch(failure), partitions(2)

    await applied(applying(batch), {made[0]: records(4, 5), made[1]: records(7)})

    assert all(len({partition for partition, _ in places}) == 1 for places in batch.applied)
    assert sorted(batch.done) == [(0, 4), (0, 5), (1, 7)]
    assert [(one.held, one.sought, one.halt) for one in made] == [(6, True, None), (8, True, None)]


async def test_what_was_committed_before_a_failure_is_not_applied_again() -> None:
    class Halfway(FakeBatch):
        async def apply(self, _s: Any, parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]) -> int:
            if len(parts) > 1:
                moved(parts[0].tp, 5)
                raise GONE
            return await super().apply(_s, parts, moved)

    batch, made = Halfway(), partitions(2)

    await applied(applying(batch), {made[0]: records(4, 5), made[1]: records(4)})

    assert batch.applied == [[(0, 5)], [(1, 4)]]


async def test_what_is_unavailable_is_tried_again_with_the_same_records() -> None:
    batch, (made,) = FakeBatch(GONE), partitions(1)

    await applied(applying(batch), {made: records(4, 5)})

    assert batch.done == [(0, 4), (0, 5)]
    assert made.trouble is None


async def test_one_partition_that_waits_holds_up_no_other_and_says_why() -> None:
    class OneAway(FakeBatch):
        away = True

        async def apply(self, _s: Any, parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]) -> int:
            if self.away and any(part.tp.partition == 0 for part in parts):
                raise GONE
            return await super().apply(_s, parts, moved)

    batch, made = OneAway(), partitions(2)
    work = applying(batch)

    work.begin({made[0]: records(4), made[1]: records(4)})
    async with asyncio.timeout(30):
        while made[1].held < 5:  # noqa: ASYNC110  # one turn of the loop, no poll
            await asyncio.sleep(0)
        assert "the database" in (made[0].trouble or "")
        assert not work.busy
        batch.away = False
        while made[0].busy:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert (made[0].held, made[0].trouble) == (5, None)


async def test_overtaken_nothing_more_is_applied_and_a_new_seek_is_asked_for() -> None:
    batch, (made,) = FakeBatch(Overtaken()), partitions(1)

    await applied(applying(batch), {made: records(4, 5)})

    assert (batch.applied, made.sought, made.halt) == ([], False, None)


async def test_what_no_dead_letter_can_settle_lets_its_partition_stand_still_and_is_tried_again_later() -> None:
    now = [0.0]
    batch = FakeBatch(ZeroDivisionError(), ZeroDivisionError())  # together, and the first alone
    made = partitions(2, lambda: now[0])

    await applied(applying(batch), {made[0]: records(4, 5), made[1]: records(4)})

    assert batch.applied == [[(1, 4)]]
    assert made[0].halt is not None
    assert (made[0].held, made[0].hungry, made[0].unsure) == (4, False, False)
    now[0] += LOOK_AGAIN_S
    assert made[0].unsure

    made[0].begin_at(4)
    assert made[0].halt is not None  # shown until these records are applied
    await applied(applying(batch), {made[0]: records(4, 5)})

    assert made[0].held == 6
    assert made[0].halt is None


async def test_while_a_transaction_is_under_way_nothing_more_of_its_topic_is_wanted() -> None:
    goes_on = asyncio.Event()
    batch, (made,) = FakeBatch(before=goes_on.wait), partitions(1)
    work = applying(batch)
    assert not work.busy

    work.begin({made: records(4)})
    while not batch.tried:  # noqa: ASYNC110  # one turn of the loop, no poll
        await asyncio.sleep(0)

    assert (work.busy, made.busy, made.hungry) == (True, True, False)
    goes_on.set()
    await made.end()
    assert (work.busy, made.busy) == (False, False)


@pytest.mark.parametrize("together", [False, True])
async def test_given_up_the_batch_in_flight_is_finished_and_nothing_new_begun(together: bool) -> None:
    goes_on = asyncio.Event()
    batch, made = FakeBatch(GONE, before=goes_on.wait), partitions(1 + together)

    applying(batch).begin({one: records(4) for one in made})
    while not batch.tried:  # noqa: ASYNC110  # one turn of the loop, no poll
        await asyncio.sleep(0)
    ending = asyncio.gather(*(one.end() for one in made))
    await asyncio.sleep(0)
    assert not ending.done()
    goes_on.set()
    await ending

    assert (len(batch.tried), batch.applied) == (1, [])


async def test_given_up_before_its_turn_a_partition_is_left_out() -> None:
    batch, made = FakeBatch(), partitions(2)

    applying(batch).begin({one: records(4) for one in made})
    await made[0].end()

    assert batch.applied == [[(1, 4)]]


async def test_once_the_breaker_is_open_nothing_is_applied() -> None:
    breaker = Breaker()
    breaker.count(PER_MINUTE, PER_MINUTE)
    batch, made = FakeBatch(), partitions(2)

    await applied(applying(batch, breaker), {one: records(4) for one in made})

    assert (batch.tried, [one.held for one in made]) == ([], [4, 4])


async def test_whoever_waits_for_his_turn_when_partitions_are_given_up_begins_nothing() -> None:
    goes_on = asyncio.Event()

    async def the_first_alone_hangs() -> None:
        await (goes_on.wait() if len(batch.tried) > 1 else asyncio.sleep(0))

    batch, made = FakeBatch(*[GONE] * 20, before=the_first_alone_hangs), partitions(12)

    applying(batch).begin({one: records(4) for one in made})
    while len(batch.tried) < 2:  # noqa: ASYNC110  # one turn of the loop, no poll
        await asyncio.sleep(0)
    ending = asyncio.gather(*(one.end() for one in made))
    await asyncio.sleep(0)
    goes_on.set()
    await ending

    assert len(batch.tried) == 2


async def test_whoever_waits_for_his_turn_when_the_breaker_opens_begins_nothing() -> None:
    breaker = Breaker()

    async def opens() -> None:
        await asyncio.sleep(0)  # meanwhile the others wait for their turn
        if len(batch.tried) == 2:
            breaker.count(PER_MINUTE, PER_MINUTE)

    batch, made = FakeBatch(GONE, GONE, before=opens), partitions(12)

    await applied(applying(batch, breaker), {one: records(4) for one in made})

    assert (len(batch.tried), batch.applied) == (2, [])
