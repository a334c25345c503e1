"""The outbox reaches the topic: every event at least once, under its key in order, whatever fails (G2, I2)."""

import asyncio
from collections.abc import Iterator

import pytest

from chassis.kafka import topics
from chassis.outbox.writer import MAX_VALUE_BYTES, enqueue
from chassis.postgres.database import create_pool
from chassis.process.errors import RejectedEvent
from stack.kafka import Kafka
from tests.integration.chassis.conftest import open_ledger
from tests.integration.chassis.ledger.service import SERVICE, LedgerService
from tests.integration.chassis.outbox.notes import NOTES, first_appearances, note, published, put, relay, relaying
from tests.support.topics import delete_topics
from tests.support.waiting import until


async def test_what_is_enqueued_is_published_with_its_headers_and_then_gone(notes: LedgerService) -> None:
    await put(notes, note("a", 1), note("b", 1), note("a", 2))
    working = relay(notes)

    async with relaying(working):
        await until(working.idle)

    assert await published(notes) == {"a": [1, 2], "b": [1]}
    assert await notes.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_nothing_is_published_of_a_transaction_that_was_rolled_back(notes: LedgerService) -> None:
    async with notes.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await enqueue(connection, [note("a", 1)])
        await transaction.rollback()
    await put(notes, note("b", 1))
    working = relay(notes)

    async with relaying(working):
        await until(working.idle)

    assert await published(notes) == {"b": [1]}


async def test_a_row_whose_id_is_lower_but_which_commits_later_is_published_all_the_same(notes: LedgerService) -> None:
    """Ids are given at insert and commit in any order: a high-water id would skip the slow one for ever."""
    working = relay(notes)
    async with notes.pool.acquire() as slow, relaying(working):
        transaction = slow.transaction()
        await transaction.start()
        await enqueue(slow, [note("slow", 1)])
        await put(notes, note("fast", 1))
        await until(lambda: _left(notes, 0), what="the fast one is published")
        assert await published(notes) == {"fast": [1]}

        await transaction.commit()
        await until(working.idle)

    assert await published(notes) == {"fast": [1], "slow": [1]}


async def test_two_relays_publish_each_event_once_and_in_order(notes: LedgerService) -> None:
    """One round at a time per schema: the advisory lock lets one publish, the other has nothing to add."""
    pools = [await create_pool(notes.url, SERVICE, max_size=2) for _ in range(2)]
    relays = [relay(notes, pool) for pool in pools]
    async with relaying(*relays):
        for version in range(1, 41):
            await put(notes, *(note(f"k{number}", version) for number in range(10)))
        await until(relays[0].idle)
    for pool in pools:
        pool.terminate()

    assert await published(notes) == {f"k{number}": list(range(1, 41)) for number in range(10)}


async def test_two_transactional_relays_take_turns_and_lose_nothing(notes: LedgerService) -> None:
    """The one that had its round last is fenced by the other: it begins anew at once."""
    pools = [await create_pool(notes.url, SERVICE, max_size=2) for _ in range(2)]
    relays = [relay(notes, pool, "notes-relay") for pool in pools]
    try:
        for version in range(1, 7):
            await put(notes, note("a", version))
            assert await relays[version % 2].round() == 1
    finally:
        for one in relays:
            await one._publisher.close()
        for pool in pools:
            pool.terminate()

    assert await published(notes) == {"a": [1, 2, 3, 4, 5, 6]}


async def test_more_than_a_batch_of_one_key_stays_in_order(notes: LedgerService) -> None:
    await put(notes, *(note("big", version, size=60_000) for version in range(1, 31)))
    working = relay(notes)

    async with relaying(working):
        await until(working.idle)

    assert await published(notes) == {"big": list(range(1, 31))}


async def test_an_event_that_kafka_would_never_take_is_refused_at_the_door(notes: LedgerService) -> None:
    with pytest.raises(RejectedEvent, match="EVENT_TOO_LARGE"):
        await put(notes, note("a", 1), note("a", 2, size=MAX_VALUE_BYTES))

    assert await notes.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_while_the_topic_is_away_nothing_is_lost_and_the_reason_is_shown(ledger: LedgerService) -> None:
    await put(ledger, note("a", 1))
    working = relay(ledger)
    async with relaying(working):
        await until(lambda: working.reason() is not None)
        assert not await working.idle()
        assert await working.age_s() > 0

        await topics.apply(ledger.bootstrap, [NOTES], ledger.prefix)
        await until(working.idle)
        await until(lambda: working.reason() is None)

    assert await published(ledger) == {"a": [1]}
    await delete_topics(ledger.bootstrap, ledger.prefix + NOTES.name)


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Run a broker that these tests may freeze and kill."""
    broker = Kafka(tmp_path_factory.mktemp("own-kafka"))
    broker.start()
    yield broker
    broker.resume()
    broker.kill()


@pytest.mark.parametrize("transactional_id", [None, "notes-relay"], ids=["plain", "transactional"])
async def test_a_frozen_broker_is_given_up_by_our_own_deadline_and_publishing_resumes_in_order(
    own_kafka: Kafka, database_url: str, topic_prefix: str, transactional_id: str | None
) -> None:
    """A frozen broker gives no error. Past the deadline the producer is abandoned; the rows are all still there."""
    async with open_ledger(own_kafka.bootstrap, database_url, topic_prefix) as ledger:
        await topics.apply(ledger.bootstrap, [NOTES], ledger.prefix)
        working = relay(ledger, transactional_id=transactional_id)
        async with relaying(working):
            await put(ledger, note("a", 1), note("b", 1))
            await until(working.idle)
            own_kafka.pause()
            try:
                await put(ledger, note("a", 2), note("b", 2), note("a", 3))
                working.wake()
                await until(lambda: working.reason() is not None)
                assert await _longest_transaction_s(ledger) < 11
            finally:
                own_kafka.resume()
            await put(ledger, note("a", 4))
            await until(working.idle)

        found = await published(ledger)
        assert first_appearances(found["a"]) == [1, 2, 3, 4]
        assert first_appearances(found["b"]) == [1, 2]
        if transactional_id is not None:
            assert found == {"a": [1, 2, 3, 4], "b": [1, 2]}, "a fenced producer leaves no repeats"


async def test_a_broker_that_was_killed_and_started_again_gets_every_event_in_order(
    own_kafka: Kafka, database_url: str, topic_prefix: str
) -> None:
    async with open_ledger(own_kafka.bootstrap, database_url, topic_prefix) as ledger:
        await topics.apply(ledger.bootstrap, [NOTES], ledger.prefix)
        working = relay(ledger)
        async with relaying(working):
            for version in range(1, 11):
                await put(ledger, *(note(f"k{number}", version) for number in range(20)))
                if version == 5:
                    own_kafka.kill()
                    await put(ledger, note("late", 1))
                    await until(lambda: working.reason() is not None)
                    await asyncio.to_thread(own_kafka.start)
            await until(working.idle)

        found = await published(ledger)
        assert {key: first_appearances(versions) for key, versions in found.items()} == {
            **{f"k{number}": list(range(1, 11)) for number in range(20)},
            "late": [1],
        }


async def _left(ledger: LedgerService, count: int) -> bool:
    return bool(await ledger.pool.fetchval("SELECT count(*) = $1 FROM outbox", count))


async def _longest_transaction_s(ledger: LedgerService) -> float:
    longest = await ledger.pool.fetchval(
        "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float8 FROM pg_stat_activity "
        "WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return float(longest)
