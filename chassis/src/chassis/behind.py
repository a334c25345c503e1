"""A database that is behind its own topics must not write (G2).

Every version that a topic holds was committed before it was published. A database that does not know it was put back to
an earlier moment, while Kafka stayed: it would give the same version numbers out again, with another content, and
whoever reads the topic would take them for repeats. Nobody would be told, and everything would look well.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis import kafka
from chassis.database import unavailable
from chassis.errors import Misconfigured, Unavailable
from chassis.settings import ServiceSettings
from schemas.topics import Topic

TAIL = 200
"""Records of each partition, the last ones: what was written after the database's moment is at the end. One would do,
but for copies of old versions that were published late."""
WITHIN_S = 60.0
NAMED = 3


@dataclass(frozen=True, slots=True)
class Owned:
    """One topic that a service writes, and where its database has what is in it.

    Attributes:
        topic: Versioned snapshots, JSON.
        id_field: The field of the entity's id; its version is in `version`.
        read_id: Turns the id's text into what the query takes; ValueError for what is no id.
        versions: A query of (id as text, version) of the ids in $1 that the database knows.
    """

    topic: Topic
    id_field: str
    read_id: Callable[[str], Any]
    versions: str


@dataclass(frozen=True, slots=True)
class Published:
    """What one record of a topic says."""

    place: str
    entity: str
    version: int


def newer(published: Sequence[Published], held: Mapping[str, int]) -> list[Published]:
    """Return what was published and is not known, or is known in an earlier version only."""
    return [one for one in published if one.version > held.get(one.entity, 0)]


async def check(pool: asyncpg.Pool, settings: ServiceSettings, service: str, owned: Sequence[Owned]) -> None:
    """Refuse to start on a database that does not know what is in the service's own topics.

    The topics are read first: what another instance commits and publishes meanwhile, the database then knows. The cost
    is bounded: the last `TAIL` records of each partition, and an indexed look-up for each topic.

    Raises:
        Misconfigured: It is behind; names the places and the way out.
        Unavailable: Kafka or PostgreSQL cannot answer now.
    """
    found: list[Published] = []
    for one, records in zip(owned, await _tails(settings, [one.topic for one in owned]), strict=True):
        published = [said for record in records if (said := _read(one, record)) is not None]
        ids = [one.read_id(entity) for entity in sorted({said.entity for said in published})]
        with unavailable():
            rows = await pool.fetch(one.versions, ids) if ids else []
        found += newer(published, {row[0]: row[1] for row in rows})
    if found:
        raise Misconfigured(_refusal(service, found))


def _refusal(service: str, found: Sequence[Published]) -> str:
    named = ", ".join(f"{one.place} holds version {one.version} of {one.entity}" for one in found[:NAMED])
    more = f" and {len(found) - NAMED} more records" if len(found) > NAMED else ""
    return (
        f"the database of {service} is behind its topics: {named}{more}, which it does not know. It was put back to an "
        "earlier moment while Kafka was not; to go on would give the same versions to other contents, and those would "
        "be taken for repeats. Restore a later state of the database (its write-ahead log up to the last commit), or "
        "put the topics back to the same moment; nothing was changed"
    )


def _read(one: Owned, record: Any) -> Published | None:
    try:
        body = orjson.loads(record.value or b"")
        entity, version = str(one.read_id(body[one.id_field])), int(body["version"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # none of our versions: its readers put it among the dead letters
    return Published(f"{record.topic}[{record.partition}] offset {record.offset}", entity, version)


async def _tails(settings: ServiceSettings, topics: Sequence[Topic]) -> list[list[Any]]:
    places = [TopicPartition(settings.topic_name(t), number) for t in topics for number in range(t.partitions)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, isolation_level="read_committed", enable_auto_commit=False
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            await kafka.in_time(consumer.start())
            found = await _read_on(consumer, places)
    except TimeoutError:
        raise Unavailable("KAFKA_UNAVAILABLE", f"the topics' ends were not read in {WITHIN_S:.0f} s") from None
    finally:
        await consumer.stop()
    return [
        [record for place, tail in found.items() if place.topic == settings.topic_name(t) for record in tail]
        for t in topics
    ]


async def _read_on(consumer: kafka.Consumer, places: Sequence[TopicPartition]) -> dict[TopicPartition, list[Any]]:
    consumer.assign(places)
    ends = {
        place: (first, end) for place, (first, end) in (await kafka.bounds(consumer, places)).items() if end > first
    }
    found: dict[TopicPartition, list[Any]] = {place: [] for place in ends}
    for place, (first, end) in ends.items():
        consumer.seek(place, max(first, end - TAIL))
    reading = set(ends)
    while reading:
        for place, records in (await consumer.getmany(*reading, timeout_ms=200)).items():
            found[place] += records
        reading = {place for place in reading if await consumer.position(place) < ends[place][1]}
    return found
