"""What a run leaves behind, gathered from outside: the topics, and the sinks' own acceptance log."""

from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.envelope import event_type
from schemas.topics import APPOINTMENTS, CLINICS, NOTIFICATIONS, PATIENTS, PROVIDERS, REMINDERS, SUBFILES, Topic

TOPICS = (APPOINTMENTS, SUBFILES, REMINDERS, NOTIFICATIONS, PATIENTS, PROVIDERS, CLINICS)
WITH_POSITIONS = ("booking", "records", "reminders", "notifier")


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a topic, read committed."""

    partition: int
    offset: int
    key: str
    id: str
    type: str
    value: dict[str, Any]
    raw: bytes


@dataclass
class Evidence:
    """Everything that the invariants are proved from.

    Attributes:
        answered: Appointment id → highest version that booking answered 2xx with.
        topics: The records of each topic, in order of partition and offset.
        positions: (topic, partition) → (next offset of a consumer, offset after the last record).
        accepted: The carriers' acceptance log, each message with the `notification_id` that its reference leads to.
    """

    answered: dict[str, int] = field(default_factory=dict)
    topics: dict[str, list[Record]] = field(default_factory=lambda: {topic.name: [] for topic in TOPICS})
    positions: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    accepted: list[dict[str, Any]] = field(default_factory=list)


def attempt_of(reference: str) -> str:
    """Return the attempt id in our reference at a carrier: bare, in a Message-ID, or the end of a callback URL."""
    return reference.strip("<>").partition("@")[0].rpartition("/")[2]


async def read_topics(bootstrap: str, prefix: str = "") -> dict[str, list[Record]]:
    """Return every committed record of the topics."""
    return {topic.name: await _read(bootstrap, prefix, topic) for topic in TOPICS}


async def _read(bootstrap: str, prefix: str, topic: Topic) -> list[Record]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",  # a later seek_to_beginning can lose to the reset that assign begins
        group_id=None,
    )
    await consumer.start()
    try:
        places = [TopicPartition(prefix + topic.name, n) for n in range(topic.partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        found: list[Record] = []
        while [place for place in places if await consumer.position(place) < ends[place]]:
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                found += [_record(place.partition, record) for record in records]
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


def _record(partition: int, record: Any) -> Record:
    headers = tuple((name, value) for name, value in record.headers)
    return Record(
        partition=partition,
        offset=record.offset,
        key=(record.key or b"").decode(),
        id=dict(headers).get("ce_id", b"").decode(),
        type=event_type(headers) or "",
        value=orjson.loads(record.value or b"{}"),
        raw=record.value or b"",
    )


async def read_positions(
    database_url: str, topics: dict[str, list[Record]], prefix: str = ""
) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Return, for each consumer's partition, where it stands in PostgreSQL and where the last record ends.

    Not the end offset: a transaction's commit marker comes after its records and is never delivered.
    """
    ends = {(prefix + name, r.partition): r.offset + 1 for name, records in topics.items() for r in records}
    connection = await asyncpg.connect(database_url)
    try:
        found = {}
        for service in WITH_POSITIONS:
            query = f"SELECT topic, partition, next_offset FROM {service}.consumer_offset"  # noqa: S608  # constants
            for row in await connection.fetch(query):
                end = ends.get((row["topic"], row["partition"]), 0)
                found[service, row["topic"], row["partition"]] = row["next_offset"], end
        return found
    finally:
        await connection.close()
