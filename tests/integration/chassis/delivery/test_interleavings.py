"""Each interleaving in which a consumer could lose an event or apply one twice (G3), made to happen."""

import asyncio
from collections.abc import Sequence

import asyncpg
from aiokafka import AIOKafkaProducer

from chassis.delivery.consumer import Applied, Subscription
from chassis.postgres.database import Connection, create_pool
from chassis.process.errors import Unavailable
from tests.integration.chassis.delivery.proxy import Proxy
from tests.integration.chassis.ledger.apply import ORDERS, Order, apply, decode
from tests.integration.chassis.ledger.service import SERVICE, LedgerService, orders, running
from tests.support.waiting import until


async def test_nothing_is_taken_before_the_seek_while_the_position_cannot_be_read(ledger: LedgerService) -> None:
    """The position's table is away when the partitions are assigned: Kafka's own offset must not be used instead."""
    await ledger.produce(orders(10))
    consumer = ledger.consumer()
    async with _locked(ledger, "consumer_offset"), running(consumer):
        await until(lambda: "DATABASE_UNAVAILABLE" in (consumer.reason() or ""), what="the read has failed")
        assert await ledger.effects() == []
        assert consumer.lag == {}

        await _unlock(ledger)
        await until(lambda: ledger.consumed(10))
        assert await ledger.effects() == [(0, n) for n in range(10)]


async def test_a_commit_whose_answer_was_lost_is_found_to_have_landed_and_not_repeated(ledger: LedgerService) -> None:
    """The connection is cut at COMMIT, the COMMIT arrives at once: the same batch again finds the position moved."""
    async with Proxy(ledger.url).running() as proxy:
        pool = await create_pool(proxy.url, SERVICE, max_size=6)
        proxy.cut_next_commit()
        proxy.let_it_arrive()
        await ledger.produce(orders(30))
        async with running(ledger.consumer(pool=pool)):
            await until(lambda: ledger.consumed(30))
            await ledger.produce(orders(30, first=30))
            await until(lambda: ledger.consumed(60))
        pool.terminate()

    assert proxy.cut.is_set()
    assert await ledger.effects() == [(0, n) for n in range(60)]


async def test_our_own_commit_that_lands_after_the_position_was_read_again_is_not_repeated(
    ledger: LedgerService,
) -> None:
    """The COMMIT is still on its way when the batch is tried again: the second waits for its row lock, then sees it."""
    async with Proxy(ledger.url).running() as proxy:
        pool = await create_pool(proxy.url, SERVICE, max_size=6)
        async with running(ledger.consumer(pool=pool)) as _:
            await until(lambda: _assigned(ledger))
            proxy.cut_next_commit()
            await ledger.produce(orders(30))
            await proxy.cut.wait()
            await until(lambda: _somebody_waits_for_a_lock(ledger), what="the second attempt waits for the first")
            proxy.let_it_arrive()
            await until(lambda: ledger.consumed(30))
            await ledger.produce(orders(5, first=30))
            await until(lambda: ledger.consumed(35))
        pool.terminate()

    assert await ledger.effects() == [(0, n) for n in range(35)]


async def test_a_commit_that_never_arrived_is_done_again(ledger: LedgerService) -> None:
    async with Proxy(ledger.url).running() as proxy:
        pool = await create_pool(proxy.url, SERVICE, max_size=6)
        async with running(ledger.consumer(pool=pool)):
            await until(lambda: _assigned(ledger))
            proxy.cut_next_commit()
            await ledger.produce(orders(30))
            await proxy.cut.wait()
            await _end_other_backends(ledger)
            await until(lambda: ledger.consumed(30))
        pool.terminate()

    assert await ledger.effects() == [(0, n) for n in range(30)]


async def test_batches_of_two_partitions_that_lock_the_same_rows_in_opposite_order_both_take_effect(
    ledger: LedgerService,
) -> None:
    """A service that forgot to sort: the deadlock is temporary, one of the two simply waits and comes again."""
    met = asyncio.Barrier(2)
    first_attempts = 2

    async def unsorted(connection: Connection, events: Sequence[Order]) -> Applied:
        nonlocal first_attempts
        first_attempts -= 1
        meet = first_attempts >= 0
        for order in events:
            await connection.execute("UPDATE entity SET version = version + 1 WHERE id = $1", order.entity)
            if meet:  # both hold their first row before either asks for its second
                await met.wait()
                meet = False
        await connection.executemany(
            'INSERT INTO effect (topic, partition, "offset", entity) VALUES ($1, $2, $3, $4)',
            [(o.topic, o.partition, o.offset, o.entity) for o in events],
        )
        return Applied()

    await ledger.pool.execute("INSERT INTO entity VALUES ('a', 0), ('b', 0)")
    a, b = {"entity": "a", "version": 1}, {"entity": "b", "version": 1}
    one, other = (ledger.consumer(Subscription(ORDERS, decode, unsorted)) for _ in range(2))

    async with running(one, other):
        await until(lambda: len(one.lag) == len(other.lag) == 1, what="each has a partition")
        await ledger.produce([a, b], partition=0)
        await ledger.produce([b, a], partition=1)
        await until(lambda: ledger.consumed(2, 2))

    assert await ledger.effects() == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert await ledger.pool.fetchval("SELECT sum(version) FROM entity") == 4
    assert await ledger.dead() == []


async def test_sorted_rows_never_deadlock(ledger: LedgerService) -> None:
    """Forty batches on each of two partitions, over the same entities in opposite order: no retry is needed."""
    forward = [{"entity": f"e{n:03}", "version": 1} for n in range(200)]
    for round_ in range(2, 22):
        versions = [{**order, "version": round_} for order in forward]
        await ledger.produce(versions, partition=0)
        await ledger.produce(list(reversed(versions)), partition=1)
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: ledger.consumed(4000, 4000))

    retried = [s.value for m in consumer._metrics.retries.collect() for s in m.samples if s.name.endswith("_total")]
    assert sum(retried) == 0


async def test_a_temporary_failure_holds_the_same_records_until_it_is_over(ledger: LedgerService) -> None:
    """Rolled back, waited, the same records again: none is skipped, none is dead; the consumer says why it waits."""
    away = True
    tried: list[int] = []

    async def sometimes(connection: Connection, events: Sequence[Order]) -> Applied:
        tried.append(events[0].offset)
        if away:
            raise Unavailable("ELSEWHERE", "a part this needs is away")
        return await apply(connection, events)

    await ledger.produce(orders(10))
    consumer = ledger.consumer(Subscription(ORDERS, decode, sometimes))
    async with running(consumer):
        await until(lambda: len(tried) >= 3)
        assert "a part this needs is away" in (consumer.reason() or "")
        assert not await consumer.idle()
        assert set(tried) == {0}
        away = False
        await until(lambda: ledger.consumed(10))
        await until(lambda: consumer.reason() is None)

    assert await ledger.effects() == [(0, n) for n in range(10)]
    assert await ledger.dead() == []


async def test_one_partition_in_trouble_does_not_hold_up_another(ledger: LedgerService) -> None:
    async def only_the_other(connection: Connection, events: Sequence[Order]) -> Applied:
        if any(order.partition == 0 for order in events):
            raise Unavailable("ELSEWHERE", "away for partition 0")
        return await apply(connection, events)

    await ledger.produce(orders(10), partition=0)
    await ledger.produce(orders(10, first=10), partition=1)
    async with running(ledger.consumer(Subscription(ORDERS, decode, only_the_other))):
        await until(lambda: ledger.consumed(0, 10))

    assert await ledger.effects() == [(1, n) for n in range(10)]


async def test_holes_left_by_aborted_transactions_are_no_gap(ledger: LedgerService) -> None:
    """Read committed: what was aborted is never seen, and the position passes over it and over the markers."""
    sender = AIOKafkaProducer(bootstrap_servers=ledger.bootstrap, transactional_id=f"{ledger.prefix}t")
    await sender.start()
    try:
        for number in range(6):
            await sender.begin_transaction()
            body = b'{"entity": "e%d", "version": 1}' % number
            await (await sender.send(ledger.topic, body, key=b"k", partition=0))
            await (sender.commit_transaction() if number % 2 == 0 else sender.abort_transaction())
    finally:
        await sender.stop()
    consumer = ledger.consumer()

    async with running(consumer):
        await until(consumer.idle)
        assert set(consumer.lag.values()) == {0}

    assert await ledger.pool.fetchval("SELECT array_agg(id ORDER BY id) FROM entity") == ["e0", "e2", "e4"]
    assert len(await ledger.effects()) == 3


class _locked:
    """Keeps a table from everybody while the block runs; `_unlock` ends it early."""

    held: "dict[str, asyncpg.Connection]" = {}  # noqa: RUF012  # one at a time, by database

    def __init__(self, ledger: LedgerService, table: str) -> None:
        self._world, self._table = ledger, table

    async def __aenter__(self) -> None:
        connection = await asyncpg.connect(self._world.url, server_settings={"search_path": SERVICE})
        await connection.execute("SET idle_in_transaction_session_timeout = 0; SET transaction_timeout = 0")
        await connection.execute(f"BEGIN; LOCK TABLE {self._table} IN ACCESS EXCLUSIVE MODE")
        self.held[self._world.url] = connection

    async def __aexit__(self, *_: object) -> None:
        await _unlock(self._world)


async def _unlock(ledger: LedgerService) -> None:
    connection = _locked.held.pop(ledger.url, None)
    if connection is not None:
        await connection.close()


async def _assigned(ledger: LedgerService) -> bool:
    return len(await ledger.positions()) == 2


async def _somebody_waits_for_a_lock(ledger: LedgerService) -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return bool(await ledger.pool.fetchval(waiting))


async def _end_other_backends(ledger: LedgerService) -> None:
    await ledger.pool.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = current_user AND state LIKE 'idle in transaction%'"
    )
