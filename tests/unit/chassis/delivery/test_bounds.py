"""More than PostgreSQL takes at once goes through in less; one record that is too much is a dead letter (0031)."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka import TopicPartition

from chassis.delivery.batch import Part
from chassis.delivery.lone_partition import LONE_TRIES
from chassis.postgres.database import CutShort, unavailable
from chassis.postgres.portion import BATCH_RECORDS, QUICK_S
from chassis.process.errors import Unavailable
from tests.unit.chassis.delivery.batches import GONE, FakeBatch, applied, applying, partitions, records

CUT = CutShort("DATABASE_UNAVAILABLE", "PostgreSQL: 25P04")


class Bounded(FakeBatch):
    """Applies what is within its bounds, and is cut short by more.

    Args:
        most: Records of one transaction.
        too_much: (partition, offset) of records that are more than the bounds by themselves.
        seconds: How long each transaction takes by the clock.
    """

    def __init__(
        self, most: int = BATCH_RECORDS, too_much: Collection[tuple[int, int]] = (), seconds: float = 0
    ) -> None:
        super().__init__()
        self.most, self.too_much, self.seconds = most, set(too_much), seconds
        self.now = 0.0
        self.aside: list[tuple[int, int, str]] = []
        self.well = True

    async def apply(self, _s: Any, parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]) -> int:
        self.now += self.seconds
        places = [(part.tp.partition, record.offset) for part in parts for record in part.records]
        if not self.well or len(places) > self.most or self.too_much.intersection(places):
            self.tried.append(places)
            await asyncio.sleep(0)
            raise CUT
        return await super().apply(_s, parts, moved)

    async def set_aside(self, _s: Any, part: Part, why: str) -> None:
        (record,) = part.records
        self.aside.append((part.tp.partition, record.offset, why))

    @property
    def sizes(self) -> list[int]:
        return [len(places) for places in self.tried]


@pytest.mark.parametrize("most", [1, 7, 100, 299])
async def test_more_than_fits_goes_through_in_less_in_order_and_once(most: int) -> None:
    batch, made = Bounded(most), partitions(3)

    await applied(applying(batch), {one: records(*range(4, 104)) for one in made})

    assert [one.held for one in made] == [104, 104, 104]
    done = batch.done
    assert len(done) == 300
    assert all([n for p, n in done if p == partition] == list(range(4, 104)) for partition in range(3))
    assert batch.aside == []


async def test_what_was_learnt_holds_for_the_next_fetch_of_several_partitions() -> None:
    batch, made = Bounded(most=40, seconds=QUICK_S), partitions(4)
    work = applying(batch, monotonic=lambda: batch.now)
    await applied(work, {one: records(*range(4, 24)) for one in made})
    batch.tried.clear()

    await applied(work, {one: records(*range(24, 44)) for one in made})

    assert batch.sizes == [40, 40]
    assert [one.held for one in made] == [44] * 4


async def test_once_all_is_quick_again_a_fetch_is_one_transaction_again() -> None:
    batch, made = Bounded(most=1), partitions(2)
    work = applying(batch)
    await applied(work, {one: records(*range(4, 54)) for one in made})
    batch.most = BATCH_RECORDS
    await applied(work, {one: records(*range(54, 154)) for one in made})
    batch.tried.clear()

    await applied(work, {one: records(*range(154, 204)) for one in made})

    assert batch.sizes == [100]


async def test_an_outage_costs_a_few_small_transactions_and_no_record() -> None:
    batch, (made,) = FakeBatch(*[GONE] * 3), partitions(1)

    await applied(applying(batch), {made: records(*range(4, 68))})

    assert [len(places) for places in batch.tried] == [64, 32, 16, 8, 16, 32, 8]
    assert batch.done == [(0, n) for n in range(4, 68)]


async def test_in_portions_no_partition_waits_for_the_end_of_another() -> None:
    batch, made = Bounded(most=1, seconds=QUICK_S), partitions(3)
    work = applying(batch, monotonic=lambda: batch.now)
    await applied(work, {one: records(4, 5) for one in made})
    batch.applied.clear()

    await applied(work, {one: records(6, 7, 8) for one in made})

    assert batch.done == [(partition, offset) for offset in (6, 7, 8) for partition in range(3)]


async def test_a_record_that_is_too_much_by_itself_is_set_aside_and_all_others_take_effect() -> None:
    batch, made = Bounded(too_much=[(0, 30)]), partitions(2)
    work = applying(batch)

    work.begin({made[0]: records(*range(4, 54)), made[1]: records(*range(4, 54))})
    second = partitions(3)[2]
    while batch.tried.count([(0, 30)]) < LONE_TRIES - 1:  # noqa: ASYNC110  # one turn of the loop, no poll
        await asyncio.sleep(0)
    work.begin({second: records(4)})  # what comes meanwhile
    async with asyncio.timeout(30):
        while made[0].busy:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert [one.held for one in (*made, second)] == [54, 54, 5]
    assert batch.tried.count([(0, 30)]) == LONE_TRIES
    assert [(p, n) for p, n, _ in batch.aside] == [(0, 30)]
    assert "25P04" in batch.aside[0][2]
    done = batch.done
    assert sorted(done) == sorted([(0, n) for n in range(4, 54) if n != 30] + [(1, n) for n in range(4, 54)] + [(2, 4)])


async def test_others_that_had_taken_effect_before_say_nothing_of_a_record_that_is_too_much() -> None:
    class Repeats(Bounded):
        async def apply(self, _s: Any, parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]) -> int:
            await super().apply(_s, parts, moved)
            return 0

    batch, (lone, other) = Repeats(too_much=[(0, 4)]), partitions(2)
    work = applying(batch)
    work.begin({lone: records(4)})
    async with asyncio.timeout(60):
        for tries in range(1, LONE_TRIES + 2):
            while batch.tried.count([(0, 4)]) < tries:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            await applied(work, {other: records(3 + tries)})
        batch.too_much.clear()
        while lone.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert batch.aside == []
    assert lone.held == 5


@pytest.mark.parametrize("error", [CUT, GONE])
async def test_while_nothing_else_passes_no_record_is_the_cause_and_it_says_why_it_waits(error: Unavailable) -> None:
    class Down(FakeBatch):
        down = True

        async def apply(self, _s: Any, parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]) -> int:
            if self.down:
                self.tried.append([(parts[0].tp.partition, len(parts[0].records))])
                raise error
            return await super().apply(_s, parts, moved)

    batch, (made,) = Down(), partitions(1)
    work = applying(batch)
    work.begin({made: records(4, 5)})
    async with asyncio.timeout(60):
        while batch.tried.count([(0, 1)]) < LONE_TRIES + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    told, batch.down = made.trouble or "", False
    async with asyncio.timeout(60):
        while made.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    assert error.message in told
    assert ("attend dead-letters skip shop t 0 --to 5" in told) == (error is CUT)
    assert (made.held, made.trouble) == (6, None)


@pytest.mark.parametrize("sqlstate", ["25P03", "25P04", "53400", "57014"])
def test_what_ran_into_a_bound_is_told_apart_from_a_server_that_is_away(sqlstate: str) -> None:
    with pytest.raises(CutShort, match=sqlstate), unavailable():
        raise asyncpg.PostgresError.new({"C": sqlstate, "M": "cut"})


def test_a_bound_with_which_the_server_closes_the_connection_is_told_by_its_cause() -> None:
    with pytest.raises(CutShort, match="25P04"), unavailable():
        raise asyncpg.ConnectionDoesNotExistError from asyncpg.PostgresError.new({"C": "25P04", "M": "cut"})


@pytest.mark.parametrize("sqlstate", ["53100", "53200", "53300", "57P01", "57P03", "08006", "55P03", "40P01"])
def test_a_server_that_is_away_or_busy_cut_nothing_short(sqlstate: str) -> None:
    with pytest.raises(Unavailable, match=sqlstate) as caught, unavailable():
        raise asyncpg.PostgresError.new({"C": sqlstate, "M": "away"})
    assert not isinstance(caught.value, CutShort)
