"""A topic of notes, the relays that publish it, and what of it has reached Kafka."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from chassis.kafka.producer import Publishers
from chassis.outbox.relay import Relay
from chassis.outbox.writer import Outgoing, enqueue
from chassis.postgres.database import Pool
from chassis.process.clock import StillClock
from chassis.process.metrics import Metrics
from schemas.envelope import Envelope
from schemas.topics import Topic
from tests.integration.chassis.ledger.service import SERVICE, LedgerService
from tests.support.topics import read_topic

NOTES = Topic("notes", "records", "entity", 2)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def note(key: str, version: int, size: int = 0, topic: Topic = NOTES) -> Outgoing:
    """Return version `version` of the entity `key`."""
    body = b'{"v": %d}' % version + b" " * size
    return Outgoing(topic, key, Envelope(f"{key}/{version}", "note.changed.v1", "attend/records", key, NOON), body)


def relay(
    ledger: LedgerService,
    pool: Pool | None = None,
    transactional_id: str | None = None,
    *more: Topic,
    publisher: Publishers | None = None,
) -> Relay:
    return Relay(
        pool or ledger.pool,
        ledger.settings,
        Metrics(SERVICE),
        StillClock(NOON),
        [NOTES, *more],
        transactional_id,
        publisher=publisher,
    )


async def put(ledger: LedgerService, *events: Outgoing) -> None:
    async with ledger.pool.acquire() as connection, connection.transaction():
        await enqueue(connection, events)


@asynccontextmanager
async def relaying(*relays: Relay) -> AsyncIterator[None]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(r.run(stop)) for r in relays]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def published(ledger: LedgerService, topic: Topic = NOTES) -> dict[str, list[int]]:
    """Return key → versions in the order in which the topic has them, repeats included."""
    found: dict[str, list[int]] = {}
    for record in await read_topic(ledger.bootstrap, ledger.prefix + topic.name, topic.partitions):
        key, event = (record.key or b"").decode(), dict(record.headers)["ce_id"].decode()
        assert key == event.rpartition("/")[0]
        found.setdefault(key, []).append(int(event.rpartition("/")[2]))
    return found


def first_appearances(versions: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(versions))
