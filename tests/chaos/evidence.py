"""What a run leaves behind, gathered from outside: the topics, and the sinks' own acceptance log."""

from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.envelope import event_type

TOPICS = ("appointments", "subfiles", "reminders", "notifications")
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
        positions: (topic, partition) → (next offset of a consumer, end offset).
        accepted: The carriers' acceptance log, each message with the `notification_id` that its reference leads to.
    """

    answered: dict[str, int] = field(default_factory=dict)
    topics: dict[str, list[Record]] = field(default_factory=lambda: {topic: [] for topic in TOPICS})
    positions: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    accepted: list[dict[str, Any]] = field(default_factory=list)


def attempt_of(reference: str) -> str:
    """Return the attempt id in our reference at a carrier: bare, in a Message-ID, or the end of a callback URL."""
    return reference.strip("<>").partition("@")[0].rpartition("/")[2]


async def read_topics(bootstrap: str, prefix: str = "") -> dict[str, list[Record]]:
    """Return every committed record of the topics."""
    return {topic: await _read(bootstrap, prefix + topic) for topic in TOPICS}


async def _read(bootstrap: str, topic: str) -> list[Record]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", enable_auto_commit=False, group_id=None
    )
    await consumer.start()
    try:
        await consumer.client.force_metadata_update()
        places = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]
        ends = await consumer.end_offsets(places)
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
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


async def read_positions(bootstrap: str, database_url: str) -> dict[tuple[str, str, int], tuple[int, int]]:
    """Return, for each consumer's partition, where it stands in PostgreSQL and where the topic ends."""
    connection = await asyncpg.connect(database_url)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed", group_id=None)
    await consumer.start()
    try:
        found = {}
        for service in WITH_POSITIONS:
            rows = await connection.fetch(f"SELECT topic, partition, next_offset FROM {service}.consumer_offset")  # noqa: S608  # a constant
            for row in rows:
                place = TopicPartition(row["topic"], row["partition"])
                end = (await consumer.end_offsets([place]))[place]
                found[service, place.topic, place.partition] = row["next_offset"], end
        return found
    finally:
        await consumer.stop()
        await connection.close()
