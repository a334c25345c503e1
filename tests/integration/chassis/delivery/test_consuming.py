"""Records of a partition become one transaction; each takes effect exactly once (G3), or is a dead letter (G8)."""

import orjson
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry

from tests.integration.chassis.ledger.service import LedgerService, orders, running
from tests.support.waiting import until


async def test_each_event_takes_effect_once_and_the_position_moves_with_it(ledger: LedgerService) -> None:
    await ledger.produce(orders(300), partition=0)
    await ledger.produce(orders(200, first=300), partition=1)

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(300, 200))

    assert await ledger.positions() == {0: 300, 1: 200}
    assert await ledger.effects() == [(0, n) for n in range(300)] + [(1, n) for n in range(200)]


async def test_a_consumer_goes_on_where_the_last_one_stopped(ledger: LedgerService) -> None:
    await ledger.produce(orders(10))
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))
    await ledger.produce(orders(10, first=10))

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(20))

    assert await ledger.effects() == [(0, n) for n in range(20)]


async def test_postgres_decides_where_to_read_even_when_kafka_knows_another_offset(ledger: LedgerService) -> None:
    await ledger.produce(orders(10))
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))
    await ledger.pool.execute("UPDATE consumer_offset SET next_offset = 4 WHERE partition = 0")
    await ledger.pool.execute("DELETE FROM effect")
    await ledger.pool.execute("DELETE FROM entity")

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))

    assert await ledger.effects() == [(0, n) for n in range(4, 10)]


async def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(ledger: LedgerService) -> None:
    await ledger.produce([*orders(3), b"{not json", *orders(3, first=3)])

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(7))

    assert await ledger.dead() == [(3, "INVALID")]
    assert await ledger.effects() == [(0, n) for n in (0, 1, 2, 4, 5, 6)]
    assert await ledger.pool.fetchval("SELECT value FROM dead_letter") == b"{not json"


async def test_what_is_refused_is_a_dead_letter_with_the_reason_in_the_same_transaction(ledger: LedgerService) -> None:
    await ledger.produce([*orders(2), {"entity": "x", "version": 1, "wish": "refuse"}, *orders(2, first=2)])

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(5))

    assert await ledger.dead() == [(2, "NO")]
    assert len(await ledger.effects()) == 4


async def test_a_record_that_fails_alone_twice_is_dead_as_internal_and_the_others_take_effect(
    ledger: LedgerService,
) -> None:
    await ledger.produce([*orders(50), {"entity": "x", "version": 1, "wish": "crash"}, *orders(50, first=50)])

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(101))

    assert await ledger.dead() == [(50, "INTERNAL")]
    assert await ledger.effects() == [(0, n) for n in range(101) if n != 50]


async def test_an_apply_that_raises_a_refusal_loses_only_that_record(ledger: LedgerService) -> None:
    await ledger.produce([*orders(20), {"entity": "x", "version": 1, "wish": "raise"}, *orders(20, first=20)])

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(41))

    assert await ledger.dead() == [(20, "RAISED")]
    assert len(await ledger.effects()) == 40


async def test_the_text_of_an_internal_fault_is_not_kept(ledger: LedgerService) -> None:
    await ledger.produce([{"entity": "x", "version": 1, "wish": "crash"}])

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(1))

    assert "900123" not in await ledger.pool.fetchval("SELECT message FROM dead_letter")


async def test_i3_applied_repeat_stale_and_dead_add_up_to_the_records_read(ledger: LedgerService) -> None:
    versions = [{"entity": "a", "version": version} for version in (2, 1, 3, 3)]
    await ledger.produce([*versions, b"?", {"entity": "b", "version": 1, "wish": "refuse"}, *orders(4)])
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: ledger.consumed(10))

    row = await ledger.pool.fetchrow(
        "SELECT applied, repeat, stale, dead FROM consumer_offset WHERE topic = $1 AND partition = 0", ledger.topic
    )
    assert row is not None
    assert sum(row) == 10
    assert row["dead"] == 2
    assert _counted(consumer._metrics.registry, ledger.topic) == 10


async def test_on_commit_is_called_after_the_commit(ledger: LedgerService) -> None:
    seen: list[bool] = []
    consumer = ledger.consumer(on_commit=lambda: seen.append(True))
    await ledger.produce(orders(1))

    async with running(consumer):
        await until(lambda: bool(seen))

    assert await ledger.effects() == [(0, 0)]


async def test_idle_is_true_only_when_everything_written_has_taken_effect(ledger: LedgerService) -> None:
    consumer = ledger.consumer()
    async with running(consumer):
        await until(consumer.idle)
        for number in range(20):
            await ledger.produce(orders(1, first=number))
            await until(consumer.idle)
            assert len(await ledger.effects()) == number + 1
        assert set(consumer.lag.values()) == {0}


async def test_it_is_not_idle_while_a_transaction_of_the_writer_is_open(ledger: LedgerService) -> None:
    consumer = ledger.consumer()
    writer = AIOKafkaProducer(bootstrap_servers=ledger.bootstrap, transactional_id=ledger.prefix + "writer")
    await writer.start()
    try:
        async with running(consumer):
            await until(consumer.idle)
            async with writer.transaction():
                await writer.send_and_wait(ledger.topic, orjson.dumps(orders(1)[0]), key=b"k", partition=0)
                assert not await consumer.idle()
            await until(consumer.idle)
            assert await ledger.effects() == [(0, 0)]
    finally:
        await writer.stop()


def _counted(registry: CollectorRegistry, topic: str) -> float:
    found = [s for m in registry.collect() for s in m.samples if s.name == "attend_events_total"]
    return sum(s.value for s in found if s.labels["topic"] == topic)
