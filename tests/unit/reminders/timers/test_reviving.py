"""A partition whose rows cannot be relied on comes back by itself, or as a person orders it: never else (0019)."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    NotLeaderForPartitionError,
    ProducerFenced,
)
from faust.types import TP

from chassis.delivery.group_positions import Order
from chassis.process.errors import Unavailable
from reminders.timers.app import add_table, build
from reminders.timers.partition import ANEW, Partition
from reminders.timers.revival import LOOKS_A_READING, Reviving
from reminders.timers.store import PartitionedStore
from tests.unit.reminders.timers.test_partition import AT, key, row

CHANGELOG = "group-timers-changelog"
MINE = {TP(CHANGELOG, 0), TP(CHANGELOG, 1)}
TORN = "the batch of records that begins here cannot be read"
SILENT = "Kafka gave nothing for 30 s"


class OverError(Exception):
    """There were as many looks as a test wants."""


class Halted:
    """A worker with two partitions, of which 0 stands still: torn from 300 to 301."""

    def __init__(self) -> None:
        self.store = cast(PartitionedStore, add_table(build("group", "nowhere:1", 2), "timers", 2).data)
        self.order: Order | None = None
        self.knows = True
        self.readings = 0
        self.reads: Callable[[Partition], None] = self.torn
        self.writes: Callable[[], None] = lambda: None
        self.written: list[bytes | None] = []
        self.lived = 0
        self._looks = 0

    async def start(self) -> "Halted":
        await self.store.on_rebalance(MINE, set(), MINE)
        self.reads(self.part)
        await self.store.on_recovery_completed(MINE, set())
        self.store.on_live = self._count
        return self

    @property
    def part(self) -> Partition:
        return self.store.parts[0]

    def torn(self, part: Partition) -> None:
        part.replay(key("before"), row(AT))
        part.stand_still(300, TORN, 301)

    def silent(self, part: Partition) -> None:
        part.stand_still(200, SILENT, None)

    def whole(self, part: Partition) -> None:
        part.terms.replay(1, b"terms")
        part.replay(key("before"), row(AT))

    async def look(self, looks: int = 1) -> None:
        """Look so many times, or until nothing stands still."""
        self._looks = looks
        reviving = Reviving(
            self.store, self, CHANGELOG, self._order_of, self._read, self._make_ready, self._pause
        )  # fmt: skip
        try:
            await reviving.run({0: b"sentinel"})
        except OverError:
            return

    def __getitem__(self, _partition: int) -> "Halted":
        return self

    async def write(self, records: Mapping[str, Any]) -> dict[str, int]:
        self.writes()
        self.written.extend(key for key, *_ in records[CHANGELOG])
        return {CHANGELOG: 510}

    def _count(self) -> None:
        self.lived += 1

    async def _pause(self) -> None:
        await asyncio.sleep(0)
        self._looks -= 1
        if self._looks < 0:
            raise OverError

    async def _order_of(self, _tp: TopicPartition) -> Order | None:
        if not self.knows:
            raise Unavailable("KAFKA_UNAVAILABLE", "Kafka: GroupAuthorizationFailedError")
        return self.order

    async def _read(self, parts: Mapping[int, Partition], _sentinels: Mapping[int, bytes]) -> None:
        self.readings += 1
        for part in parts.values():
            self.reads(part)

    async def _make_ready(self, parts: Mapping[int, Partition]) -> None:
        for part in parts.values():
            if part.halt is None:
                await part.index()


@pytest.fixture
async def halted() -> Halted:
    return await Halted().start()


async def test_it_begins_anew_without_rows_as_a_person_ordered_and_says_that_somebody_has_to_plan(
    halted: Halted,
) -> None:
    halted.order = Order(0, 301)

    await halted.look()

    assert (halted.written, len(halted.part), set(halted.store.live)) == ([ANEW], 0, {0, 1})
    assert (halted.part.begun_anew, halted.part.first, halted.part.position) == (True, 510, 511)
    assert halted.lived == 1


@pytest.mark.parametrize("order", [None, Order(0, 300), Order(301, 500)])
async def test_without_an_order_for_that_place_it_stands_still(halted: Halted, order: Order | None) -> None:
    halted.order = order

    await halted.look(3)

    assert (halted.written, set(halted.store.live)) == ([], {1})


async def test_what_kafka_did_not_give_may_be_readable_and_no_order_of_before_throws_it_away(halted: Halted) -> None:
    """The order stays in Kafka for a week after it was taken up, and covers every place before it."""
    halted.order, halted.reads = Order(0, 500), halted.silent
    await halted.start()

    await halted.look(LOOKS_A_READING * 2)

    assert (halted.written, set(halted.store.live)) == ([], {1})


async def test_an_order_that_was_taken_up_is_none_for_what_is_bad_behind_the_new_beginning(halted: Halted) -> None:
    halted.order = Order(0, 301)
    await halted.look()
    halted.part.stand_still(halted.part.first, "a row cannot be read", 600)

    await halted.look(3)

    assert halted.written == [ANEW]


async def test_a_new_beginning_that_is_bad_itself_asks_for_another_order(halted: Halted) -> None:
    halted.order = Order(0, 301)
    halted.part.stand_still(510, TORN, 511)

    await halted.look(3)
    assert halted.written == []

    halted.order = Order(0, 511)
    await halted.look()
    assert halted.written == [ANEW]


async def test_what_kafka_did_not_give_is_read_again_at_every_look_and_what_is_bad_once_a_minute(
    halted: Halted,
) -> None:
    await halted.look(LOOKS_A_READING)
    assert halted.readings == 1

    halted.reads = halted.silent
    await halted.start()
    await halted.look(4)
    assert halted.readings == 5

    halted.reads = halted.whole
    await halted.look()
    assert (set(halted.store.live), len(halted.part)) == ({0, 1}, 1)


async def test_it_says_what_is_wrong_now_when_it_was_read_again(halted: Halted) -> None:
    halted.reads = halted.silent
    await halted.start()
    halted.reads = halted.torn
    await halted.look()

    assert TORN in str(halted.part.halt)
    halted.order = Order(0, 301)
    await halted.look()
    assert halted.written == [ANEW]


async def test_it_is_read_again_though_nobody_can_be_asked_for_an_order(halted: Halted) -> None:
    halted.knows, halted.reads = False, halted.whole

    await halted.look(LOOKS_A_READING)

    assert set(halted.store.live) == {0, 1}


@pytest.mark.parametrize("error", [NotLeaderForPartitionError, NodeNotReadyError, KafkaTimeoutError, OSError])
async def test_kafka_that_is_away_while_it_is_read_again_ends_nothing(halted: Halted, error: type[Exception]) -> None:
    def away(_part: Partition) -> None:
        raise error

    halted.reads = away
    await halted.look(LOOKS_A_READING)
    halted.reads = halted.whole
    await halted.look(LOOKS_A_READING)

    assert set(halted.store.live) == {0, 1}


@pytest.mark.parametrize("error", [ProducerFenced, KafkaTimeoutError, TimeoutError, KafkaError])
async def test_a_new_beginning_of_which_nobody_knows_whether_it_is_written_ends_the_worker(
    halted: Halted, error: type[Exception]
) -> None:
    """Who read again afterwards would have rows of before it live."""

    def failing() -> None:
        raise error

    halted.order, halted.writes = Order(0, 301), failing

    with pytest.raises(error):
        await halted.look()
    assert set(halted.store.live) == {1}


@pytest.mark.parametrize("ordered", [True, False])
async def test_nothing_becomes_live_while_partitions_are_taken_away(halted: Halted, ordered: bool) -> None:
    if ordered:
        halted.order, halted.writes = Order(0, 301), halted.store.suspend
    else:

        def whole(part: Partition) -> None:
            halted.store.suspend()
            halted.whole(part)

        halted.reads = whole

    await halted.look(LOOKS_A_READING)

    assert halted.store.live == {}


async def test_nothing_is_written_to_what_is_not_recovered(halted: Halted) -> None:
    halted.order = Order(0, 301)
    halted.store.suspend()
    await halted.store.on_rebalance(MINE, set(), MINE)

    await halted.look(3)

    assert halted.written == []
