"""Relays that stand still and are overtaken, and partitions that do: nothing old comes last, none waits for another."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from chassis.kafka import topics
from chassis.kafka.partitioner import partition_of
from chassis.kafka.producer import Publisher, Publishers, Record
from chassis.outbox import relay as outbox_relay
from chassis.outbox.relay import Relay
from chassis.postgres.database import Pool, create_pool
from chassis.process.errors import Unavailable
from schemas.topics import Topic
from tests.integration.chassis.ledger.service import SERVICE, LedgerService
from tests.integration.chassis.outbox.notes import NOTES, note, published, put, relay, relaying
from tests.support.topics import delete_topics
from tests.support.waiting import until

STUCK = Topic("stuck", "records", "entity", 1)
REFUSING = replace(STUCK, settings={"max.message.bytes": "100"})
"""Kafka takes nothing that it is sent."""

TRANSACTIONAL = pytest.mark.parametrize("transactional_id", [None, "notes-relay"], ids=["plain", "transactional"])


class StandsStill(Publishers):
    """Stands still once, when it has been given what was read, and goes on when it is told to."""

    def __init__(self, ledger: LedgerService) -> None:
        super().__init__(ledger.bootstrap, ledger.prefix, "notes-relay")
        self.stands, self.goes_on = asyncio.Event(), asyncio.Event()
        self.armed = False

    async def publish(self, records: Sequence[Record], deadline_s: float) -> list[bool | None]:
        if self.armed:
            self.armed = False
            self.stands.set()
            await self.goes_on.wait()
        return await super().publish(records, deadline_s)


@dataclass
class Pair:
    """Two relays of one outbox, one of which can be stopped after it has read."""

    notes: LedgerService
    stopped: Relay
    publisher: StandsStill
    other: Relay

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """Stop one of them with what waits read; PostgreSQL takes its lock. It goes on after the block."""
        self.publisher.armed = True
        round_ = asyncio.create_task(self.stopped.round())
        await self.publisher.stands.wait()
        await _end_transactions(self.notes)
        yield
        self.publisher.goes_on.set()
        with suppress(Unavailable):  # its connection is gone
            await round_


@pytest.fixture
async def pair(notes: LedgerService) -> AsyncIterator[Pair]:
    pools = [await create_pool(notes.url, SERVICE, max_size=2) for _ in range(2)]
    publisher = StandsStill(notes)
    pair = Pair(
        notes,
        relay(notes, pools[0], "notes-relay", publisher=publisher),
        publisher,
        relay(notes, pools[1], "notes-relay"),
    )
    try:
        yield pair
    finally:
        await publisher.close()
        await pair.other._publisher.close()
        for pool in pools:
            pool.terminate()


@pytest.mark.parametrize("warm", [True, False], ids=["with a producer", "before its first producer"])
async def test_a_relay_that_lost_its_lock_publishes_nothing_that_it_had_read(pair: Pair, warm: bool) -> None:
    """Its producer must be older than the rows it reads: then whoever published since has fenced it."""
    if warm:
        await put(pair.notes, note("a", 0))
        await pair.stopped.round()
    await put(pair.notes, note("a", 1))

    async with pair.standing():
        await put(pair.notes, note("a", 2))
        assert await pair.other.round() == 2

    assert (await published(pair.notes))["a"] == [0, 1, 2][not warm :]


async def test_who_takes_over_with_an_older_producer_reads_anew_and_is_not_overtaken(pair: Pair) -> None:
    for version, one in enumerate((pair.other, pair.stopped), 1):
        await put(pair.notes, note("a", version))
        await one.round()
    await put(pair.notes, note("a", 3))

    async with pair.standing():
        await put(pair.notes, note("a", 4))
        assert await pair.other.round() == 2
    await put(pair.notes, note("a", 5))
    assert await pair.stopped.round() == 1

    assert (await published(pair.notes))["a"] == [1, 2, 3, 4, 5]


@pytest.fixture(params=["silent", "refusing"])
async def stuck(notes: LedgerService, request: pytest.FixtureRequest) -> AsyncIterator[LedgerService]:
    """Return a service whose topic `stuck` is not there, so that nobody answers for it, or takes nothing."""
    if request.param == "refusing":
        await topics.apply(notes.bootstrap, [REFUSING], notes.prefix)
    yield notes
    await delete_topics(notes.bootstrap, notes.prefix + STUCK.name)


@TRANSACTIONAL
async def test_a_partition_that_kafka_does_not_acknowledge_stops_no_other(
    stuck: LedgerService, transactional_id: str | None
) -> None:
    await put(stuck, *(note("s", version, topic=STUCK) for version in range(1, outbox_relay.ROUND + 2)))
    await put(stuck, *(note(f"k{number}", 1) for number in range(10)))
    working = relay(stuck, None, transactional_id, STUCK)

    async with relaying(working):
        await until(lambda: _waiting(stuck, NOTES, 0), within_s=20, what="the other topic's events leave")
        await put(stuck, note("k0", 2))
        await until(lambda: _waiting(stuck, NOTES, 0), within_s=10, what="and go on leaving")
        assert "stuck[0]" in (working.reason() or "")
        assert not await working.idle()
        assert await working.age_s() > 0

        await _mend(stuck)
        await until(working.idle)
        await until(lambda: working.reason() is None)

    assert (await published(stuck))["k0"] == [1, 2]
    assert list(dict.fromkeys((await published(stuck, STUCK))["s"])) == list(range(1, outbox_relay.ROUND + 2))


async def test_what_one_partition_refuses_leaves_no_other_out(notes: LedgerService) -> None:
    await topics.apply(notes.bootstrap, [REFUSING], notes.prefix)
    publisher = Publisher(notes.bootstrap, notes.prefix)
    large = [Record(NOTES.name, b"k", b"x" * 100_000, [], number % 2) for number in range(20)]

    answers = await publisher.publish([Record(STUCK.name, b"k", b"x" * 1_000, [], 0), *large], 20)

    assert answers == [False] + 20 * [True]
    await publisher.close()
    await delete_topics(notes.bootstrap, notes.prefix + STUCK.name)


async def test_what_the_release_before_wrote_keeps_its_order_among_what_this_one_writes(notes: LedgerService) -> None:
    """Its rows name no partition. However many there are, nothing overtakes one of them."""
    assert partition_of(b"d", NOTES.partitions) != partition_of(b"a", NOTES.partitions)
    await notes.pool.execute(
        "INSERT INTO outbox (topic, key, headers, value) "
        "SELECT $1, 'd', '[[\"ce_id\",\"d/1\"]]', '{}' FROM generate_series(1, $2::int)",
        NOTES.name, outbox_relay.ROUND,
    )  # fmt: skip
    await _as_before(notes, "a", 1)
    await put(notes, note("a", 2))
    await _as_before(notes, "a", 3)
    await put(notes, note("a", 4))
    working = relay(notes)

    async with relaying(working):
        await until(working.idle)

    assert (await published(notes))["a"] == [1, 2, 3, 4]


async def test_a_relay_finds_its_own_without_reading_what_waits_for_others(
    notes: LedgerService, database_url: str
) -> None:
    """Also when its statements were planned while the outbox was known to be empty."""
    admin = await asyncpg.connect(database_url)
    await admin.execute("VACUUM ANALYZE records.outbox")
    await admin.close()
    pool = await create_pool(notes.url, SERVICE, min_size=1, max_size=1)
    working = relay(notes, pool)
    for _ in range(10):
        await working.round()
        await working.idle()
    await notes.pool.execute(
        "INSERT INTO outbox (topic, partition, key, headers) "
        "SELECT 'others', n % 12, 'k', '[]' FROM generate_series(1, 100000) n"
    )
    before = await _rows_read(pool)
    for _ in range(10):
        await working.idle()
        await working._waiting()
        await working.round()
    read = await _rows_read(pool) - before
    await working._publisher.close()
    pool.terminate()

    assert read < 1_000, "rows of the outbox read in thirty looks"


async def _rows_read(pool: Pool) -> int:
    await pool.execute("SELECT pg_stat_force_next_flush()")
    await pool.execute("SELECT pg_stat_clear_snapshot()")
    return int(
        await pool.fetchval(
            "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'outbox' "
            "AND schemaname = current_schema()"
        )
    )


async def _end_transactions(ledger: LedgerService) -> None:
    """End what stands open, as `idle_in_transaction_session_timeout` does after 8 s, and wait until it has ended."""
    await ledger.pool.fetch(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND state = 'idle in transaction'"
    )


async def _as_before(ledger: LedgerService, key: str, version: int) -> None:
    """Write an event as the release before did."""
    await ledger.pool.execute(
        "INSERT INTO outbox (topic, key, headers, value) VALUES ($1, $2, $3, '{}')",
        NOTES.name, key.encode(), b'[["ce_id","%s/%d"]]' % (key.encode(), version),
    )  # fmt: skip


async def _waiting(ledger: LedgerService, topic: Topic, count: int) -> bool:
    return bool(await ledger.pool.fetchval("SELECT count(*) = $2 FROM outbox WHERE topic = $1", topic.name, count))


async def _mend(ledger: LedgerService) -> None:
    await topics.apply(ledger.bootstrap, [STUCK], ledger.prefix)
    admin = AIOKafkaAdminClient(bootstrap_servers=ledger.bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, ledger.prefix + STUCK.name, {})])
    finally:
        await admin.close()
