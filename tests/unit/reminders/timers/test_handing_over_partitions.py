"""Partitions go only when nothing of ours is being written to them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord
from faust.tables.recovery import RebalanceAgain
from faust.types import TP

from chassis.delivery.group_positions import Order
from reminders.timers.app import GatingTableManager, TimersApp, add_table, build
from reminders.timers.changelog import _replay
from reminders.timers.consumer import AwaitedConsumer
from reminders.timers.partition import ANEW, Partition
from reminders.timers.recovery import FencingRecovery, Writers
from reminders.timers.store import PartitionedStore

CHANGELOG = "group-timers-changelog"
MINE = {TP(CHANGELOG, 0), TP(CHANGELOG, 1)}


class Standing:
    """An application that was never connected, with partitions 0 and 1 live."""

    def __init__(self, app: TimersApp) -> None:
        self.app = app
        self.table = add_table(app, "timers", 2)

    @property
    def store(self) -> PartitionedStore:
        return cast(PartitionedStore, self.table.data)

    @property
    def recovery(self) -> FencingRecovery:
        return cast(GatingTableManager, self.app.tables).recovery

    async def live(self) -> dict[int, Partition]:
        await self.store.on_rebalance(MINE, set(), MINE)
        await self.store.on_recovery_completed(MINE, set())
        return dict(self.store.live)


class SlowWriters(Writers):
    """Fencing that takes as long as it is told to."""

    def __init__(self) -> None:
        super().__init__("nowhere:1", "group", CHANGELOG)
        self.go_on = asyncio.Event()
        self.stopped = False
        self.owned = 0

    async def _own(self, partition: int) -> bytes:
        self.owned += 1
        await self.go_on.wait()
        return b""

    async def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def writers() -> SlowWriters:
    return SlowWriters()


@pytest.fixture
async def standing(writers: SlowWriters) -> Standing:
    standing = Standing(build("group", "nowhere:1", 2))
    standing.recovery.writers = writers
    return standing


async def waits_for(ended: Awaitable[Any], release: Callable[[], None]) -> bool:
    """Whether something that goes on ends only after a release."""
    going_on = asyncio.ensure_future(ended)
    for _ in range(20):
        await asyncio.sleep(0)
    early = going_on.done()
    release()
    await asyncio.wait_for(going_on, 5)
    return not early


async def revoke(standing: Standing) -> None:
    """Take the partitions away as Faust does: first the gate is shut, then the consumer is done with them."""

    async def shut(revoked: set[TP]) -> None:
        standing.app.tables.on_partitions_revoked(revoked)

    consumer = AwaitedConsumer(
        standing.app.transport,
        callback=standing.app.topics.on_message,
        on_partitions_revoked=shut,
        on_partitions_assigned=shut,
        loop=asyncio.get_running_loop(),
    )
    try:
        await consumer.on_partitions_revoked(MINE)
    finally:
        consumer._thread.thread_loop.close()  # of a thread that was never started


async def test_a_revocation_waits_until_what_is_being_written_is_written(standing: Standing) -> None:
    lock = (await standing.live())[1].lock
    await lock.acquire()

    assert await waits_for(revoke(standing), lock.release)
    assert standing.store.live == {}


async def test_a_revocation_waits_until_a_fence_is_up_or_it_would_shut_the_next_owner_out(
    standing: Standing, writers: SlowWriters
) -> None:
    await standing.live()
    fencing = asyncio.ensure_future(writers.own({0, 1}))
    await asyncio.sleep(0)

    assert await waits_for(revoke(standing), writers.go_on.set)
    await fencing


async def test_a_recovery_does_not_fence_what_is_being_taken_away(standing: Standing, writers: SlowWriters) -> None:
    await standing.live()
    writers.go_on.set()
    standing.app.tables.on_partitions_revoked(MINE)

    with pytest.raises(RebalanceAgain):
        await standing.recovery._recover()
    assert writers.owned == 0


async def test_a_stop_lets_go_of_the_partitions_after_what_is_being_written(
    standing: Standing, writers: SlowWriters
) -> None:
    lock = (await standing.live())[0].lock
    await lock.acquire()
    standing.app.tables.on_partitions_revoked(MINE)

    def release() -> None:
        assert not writers.stopped
        lock.release()

    assert await waits_for(standing.recovery.on_stop(), release)
    assert writers.stopped


async def test_nothing_fires_from_a_revocation_until_the_next_recovery(standing: Standing) -> None:
    await standing.live()

    standing.app.tables.on_partitions_revoked(MINE)
    assert (standing.store.live, standing.store.recovered) == ({}, False)
    await standing.store.on_recovery_completed(MINE, set())  # of an assignment that is past
    assert standing.store.live == {}

    assert set(await standing.live()) == {0, 1}


async def test_an_order_for_rows_found_bad_by_the_index_holds_for_who_recovers_them_next(standing: Standing) -> None:
    """Each owner's sentinel moves the end, and so what is printed to go on from; the place itself stays."""
    for end in (11, 13):
        part = Partition(1)
        part.position = end
        part.replay(bytes(16), b"\x09 a format of the future")

        await standing.recovery._make_ready({0: part})

        assert part.halt is not None
        assert (part.halt.offset, part.halt.skip_to) == (0, end)
        assert Order(0, 11).covers(part.halt.offset)


async def test_a_new_beginning_is_read_with_its_place(standing: Standing) -> None:
    part = Partition(1)
    part.stand_still(7, "it cannot be read", 8)

    _replay(part, ConsumerRecord(CHANGELOG, 0, 9, 0, 0, ANEW, b"value", None, 4, 5, ()))

    assert (part.halt, part.first, part.begun_anew) == (None, 9, True)
