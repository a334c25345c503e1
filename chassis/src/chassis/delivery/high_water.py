"""A database that is behind its own topics must not write (G2).

Every version that a topic holds was committed before it was published. A database that does not know it was put back to
an earlier moment, while Kafka stayed: it would give the same version numbers out again, with another content, and
whoever reads the topic would take them for repeats. Nobody would be told, and everything would look well.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from chassis.kafka import broker, fetch, salvage
from chassis.kafka.halt import Halt
from chassis.postgres.database import Pool
from chassis.process.errors import Misconfigured, Unavailable
from chassis.process.logs import get_logger
from chassis.process.settings import ServiceSettings
from schemas.topics import Topic

TAIL = 200
"""Records of each partition, the last ones: what was written after the database's moment is at the end. One would do,
but for copies of old versions that were published late."""
WITHIN_S = 60.0
EVERY_S = 60.0
FETCH_S = 0.2
PART = "ends of topics"
"""Name of the part that looks again, without which a process is to end."""
NAMED = 3

type Read = Callable[[Mapping[TopicPartition, int]], Awaitable[Mapping[TopicPartition, Sequence[Any]]]]
"""Reads, of each partition, the records from an offset on: the last `TAIL` at most."""


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
    """Id and version of one record of a topic."""

    place: str
    entity: str
    version: int


def newer(published: Sequence[Published], held: Mapping[str, int]) -> list[Published]:
    """Return what was published and is not known, or is known in an earlier version only."""
    return [one for one in published if one.version > held.get(one.entity, 0)]


class Ends:
    """Compares the ends of a service's own topics with its database: before it starts, and every minute while it runs.

    The cost is bounded: what was written since the last look, at most the last `TAIL` records of each partition, and an
    indexed look-up of those for each topic. The topics are read first: what another instance commits and publishes
    meanwhile, the database then knows.
    """

    def __init__(
        self,
        pool: Pool,
        settings: ServiceSettings,
        service: str,
        owned: Sequence[Owned],
        read: Read | None = None,
    ) -> None:
        self._pool, self._service = pool, service
        self._owned = {settings.topic_name(one.topic): one for one in owned}
        self._read = read or partial(_since, settings, [one.topic for one in owned])
        self._after: dict[TopicPartition, int] = {}
        self._said: dict[TopicPartition, deque[Published]] = defaultdict(lambda: deque(maxlen=TAIL))

    async def compare(self) -> None:
        """Look once.

        Raises:
            Misconfigured: The database is behind; names the places and the way out.
        """
        for place, records in (await self._read(self._after)).items():
            one = self._owned[place.topic]
            self._said[place].extend(said for record in records if (said := _read(one, record)) is not None)
            if records:
                self._after[place] = records[-1].offset + 1
        found: list[Published] = []
        for name, one in self._owned.items():
            published = [said for place, kept in self._said.items() if place.topic == name for said in kept]
            ids = [one.read_id(entity) for entity in sorted({said.entity for said in published})]
            rows = await self._pool.fetch(one.versions, ids) if ids else []
            found += newer(published, {row[0]: row[1] for row in rows})
        if found:
            raise Misconfigured(_refusal(self._service, found))

    async def run(self, stop: asyncio.Event, every_s: float = EVERY_S) -> None:
        """Look every so often until `stop`; a look that fails, whatever it raises, is logged, and the next one follows.

        Raises:
            Misconfigured: As `compare`: the process is to end, and does not start again on that database.
        """
        while not stop.is_set():
            try:
                async with asyncio.timeout(every_s):
                    await stop.wait()
            except TimeoutError:
                await self._look()

    async def _look(self) -> None:
        try:
            await self.compare()
        except Misconfigured:
            raise
        except Unavailable as error:
            get_logger().warning("ends.unavailable", code=error.code)
        except Exception:  # noqa: BLE001  # no reason to close the door (0019)
            get_logger().exception("ends.failed")


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
    if "\0" in entity:
        return None  # PostgreSQL holds no such text, and refuses to be asked for it
    return Published(f"{record.topic}[{record.partition}] offset {record.offset}", entity, version)


async def _since(
    settings: ServiceSettings, topics: Sequence[Topic], after: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[Any]]:
    places = [TopicPartition(settings.topic_name(t), number) for t in topics for number in range(t.partitions)]
    consumer = broker.new_consumer(settings.kafka_bootstrap_servers, None)
    try:
        async with asyncio.timeout(WITHIN_S):
            await broker.in_time(consumer.start())
            return await _read_on(consumer, places, after)
    except TimeoutError:
        raise Unavailable("KAFKA_UNAVAILABLE", f"the topics' ends were not read in {WITHIN_S:.0f} s") from None
    except KafkaError as error:
        raise Unavailable("KAFKA_UNAVAILABLE", f"Kafka: {type(error).__name__}") from error
    finally:
        await broker.stop(consumer)


async def _read_on(
    consumer: broker.Consumer, places: Sequence[TopicPartition], after: Mapping[TopicPartition, int]
) -> dict[TopicPartition, list[Any]]:
    consumer.assign(places)
    ends = {
        place: (max(first, end - TAIL, after.get(place, 0)), end)
        for place, (first, end) in (await broker.bounds(consumer, places)).items()
    }
    reading = {place for place, (start, end) in ends.items() if start < end}
    found: dict[TopicPartition, list[Any]] = {place: [] for place in reading}
    for place in reading:
        consumer.seek(place, ends[place][0])
    while reading:
        fetched = await fetch.fetch(consumer, reading, FETCH_S, len(places) * TAIL)
        for place, unread in fetched.unread.items():
            fetched.records[place] = await _read_past(consumer, place, unread)
        for place, records in fetched.records.items():
            found[place] += records
        reading = {place for place in reading if await consumer.position(place) < ends[place][1]}
    return found


async def _read_past(consumer: broker.Consumer, place: TopicPartition, unread: fetch.Unread) -> list[Any]:
    """Return what can be read of a batch after all, and go on after it: one that cannot is none of our versions."""
    batch = await salvage.again(consumer, place, unread, 0)
    end = batch.skip_to if isinstance(batch, Halt) else batch.end
    if end is None:  # the broker refuses to give it: perhaps it does later
        raise Unavailable("KAFKA_UNAVAILABLE", f"{place.topic}[{place.partition}] is not given")
    consumer.seek(place, end)
    if isinstance(batch, Halt):
        get_logger().warning("ends.unreadable", topic_name=place.topic, partition=place.partition, halt=batch)
        return []
    return batch.records
