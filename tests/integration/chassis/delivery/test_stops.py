"""What stops a consumer, and what it says then: a fault of our own, or a broker that is not the one it knew (§3)."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from chassis.delivery.consumer import Applied, Subscription
from chassis.kafka import broker, topics
from chassis.postgres.database import Connection
from chassis.process.errors import AttendError, Misconfigured, RejectedEvent
from tests.integration.chassis.ledger.apply import ORDERS, Order, apply, decode
from tests.integration.chassis.ledger.service import LedgerService, orders, running
from tests.support.topics import delete_topics
from tests.support.waiting import until


async def test_too_many_bad_records_of_our_own_stop_the_service_before_it_buries_them_all(
    ledger: LedgerService,
) -> None:
    """20 in a minute: the breaker opens, what follows stays in Kafka, and the reason is shown."""
    await ledger.produce([*orders(5), *([b"bad"] * 500), *orders(5, first=5)])
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "breaker open" in (consumer.reason() or ""))
        assert not await consumer.idle()
        assert 0 < (await ledger.positions())[0] < 510

    assert 20 <= len(await ledger.dead()) < 60


async def test_a_consumer_that_has_stopped_is_not_idle_and_asks_kafka_nothing(
    ledger: LedgerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client is closed: what asked by it would open a connection that nobody ends."""
    await ledger.produce(orders(5))
    consumer = ledger.consumer()
    async with running(consumer):
        await until(consumer.idle)

    async def asked(*_: object) -> None:
        raise AssertionError("a closed client was asked")

    monkeypatch.setattr(broker, "written", asked)
    assert not await consumer.idle()


async def test_bad_records_of_others_never_open_the_breaker(ledger: LedgerService) -> None:
    await ledger.produce([*([b"bad"] * 500), *orders(5)])
    consumer = ledger.consumer(Subscription(ORDERS, decode, apply, own=False))

    async with running(consumer):
        await until(lambda: ledger.consumed(505))
        assert consumer.reason() is None

    assert len(await ledger.dead()) == 500
    assert len(await ledger.effects()) == 5


async def test_a_fault_that_breaks_every_record_opens_the_breaker_after_twenty(ledger: LedgerService) -> None:
    async def broken(_connection: Connection, _events: Sequence[Order]) -> Applied:
        raise ZeroDivisionError

    await ledger.produce(orders(300))
    consumer = ledger.consumer(Subscription(ORDERS, decode, broken))

    async with running(consumer):
        await until(lambda: "breaker open" in (consumer.reason() or ""))

    dead = await ledger.dead()
    assert {code for _, code in dead} == {"INTERNAL"}
    assert len(dead) == (await ledger.positions())[0]
    assert 20 <= len(dead) < 40


async def test_a_fault_that_no_dead_letter_can_settle_stops_that_partition_alone_until_it_is_mended(
    ledger: LedgerService, database_url: str
) -> None:
    admin = await asyncpg.connect(database_url)
    await admin.execute("REVOKE INSERT ON records.dead_letter FROM attend_records")
    await ledger.produce([*orders(3), b"?", *orders(3, first=3)])

    await ledger.produce(orders(5, first=6), partition=1)
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "InsufficientPrivilegeError" in (consumer.reason() or ""))
        await until(lambda: ledger.consumed(0, 5))
        assert (await ledger.positions())[0] <= 3

        await admin.execute("GRANT INSERT ON records.dead_letter TO attend_records")
        await admin.close()
        await until(lambda: ledger.consumed(7, 5))
        assert consumer.reason() is None

    assert await ledger.dead() == [(3, "INVALID")]
    assert await ledger.effects() == [(0, n) for n in (0, 1, 2, 4, 5, 6)] + [(1, n) for n in range(5)]


async def test_a_reason_that_postgres_could_not_keep_is_kept_without_what_it_cannot(ledger: LedgerService) -> None:
    async def strange(_connection: Connection, _events: Sequence[Order]) -> Applied:
        raise RejectedEvent("NO", "nul \0 and surrogate \ud800 " + "x" * 5000)

    await ledger.produce(orders(1))
    async with running(ledger.consumer(Subscription(ORDERS, decode, strange))):
        await until(lambda: ledger.consumed(1))

    assert await ledger.dead() == [(0, "NO")]


async def test_a_topic_made_anew_stops_its_partition_and_says_the_way_out(ledger: LedgerService) -> None:
    await ledger.produce(orders(10))
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))
    await delete_topics(ledger.bootstrap, ledger.topic)
    await until(lambda: _made(ledger))
    await ledger.produce(orders(3))

    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: consumer.reason() is not None and "orders[0]" in str(consumer.reason()))
        reason = consumer.reason() or ""
        assert "orders[0] stands at 10: it ends at 3, before our position 10: the topic was re-created" in reason
        assert f"attend dead-letters skip ledger {ledger.topic} 0 --to 0" in reason

    assert len(await ledger.effects()) == 10


async def test_records_lost_to_retention_stop_their_partition_and_say_the_way_out(ledger: LedgerService) -> None:
    await ledger.produce(orders(10))
    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))
    await ledger.produce(orders(10, first=10))
    await ledger.pool.execute("UPDATE consumer_offset SET next_offset = 2 WHERE partition = 0")
    await _delete_records(ledger, before=5)

    await ledger.produce(orders(5, first=20), partition=1)
    consumer = ledger.consumer()

    async with running(consumer):
        await until(lambda: "orders[0] stands at 2: it begins at 5, after our position 2" in (consumer.reason() or ""))
        assert f"attend dead-letters skip ledger {ledger.topic} 0 --to 5" in (consumer.reason() or "")
        await until(lambda: ledger.consumed(2, 5), what="the other partition goes on")


async def test_a_new_consumer_begins_where_the_topic_begins(ledger: LedgerService) -> None:
    await ledger.produce(orders(10))
    await _delete_records(ledger, before=5)

    async with running(ledger.consumer()):
        await until(lambda: ledger.consumed(10))

    assert await ledger.effects() == [(0, n) for n in range(5, 10)]


async def test_another_cluster_under_the_same_database_stops_the_consumer(ledger: LedgerService) -> None:
    await ledger.pool.execute("INSERT INTO kafka_cluster (cluster_id) VALUES ('the-one-before')")

    with pytest.raises(Misconfigured, match=r"offsets belong to Kafka cluster the-one-before"):
        async with asyncio.timeout(90):
            await ledger.consumer().run(asyncio.Event())


async def _made(ledger: LedgerService) -> bool:
    try:
        await topics.apply(ledger.bootstrap, [ORDERS], ledger.prefix)
        return not await topics.plan(ledger.bootstrap, [ORDERS], ledger.prefix)
    except AttendError:
        return False


async def _delete_records(ledger: LedgerService, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=ledger.bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(ledger.topic, 0): RecordsToDelete(before_offset=before)})
    finally:
        await admin.close()
