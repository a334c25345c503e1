"""Topics as declared against topics as they are: plan, apply, check. Nobody else makes topics."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from chassis.kafka import broker
from chassis.process.errors import Misconfigured, Unavailable
from schemas.topics import Topic

REPLICATION = 3
"""Copies of each partition; fewer where there are fewer brokers."""


SEEN_TIMEOUT_S = 15
SEEN_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the broker differs from the declaration.

    `found` is None for a topic that is not there.
    """

    topic: str
    what: str
    found: str | None
    wanted: str

    def __str__(self) -> str:
        if self.found is None:
            return f"+ {self.topic}: {self.wanted}"
        return f"~ {self.topic}: {self.what} {self.found} → {self.wanted}"


def wanted_settings(topic: Topic) -> dict[str, str]:
    """Return the topic's settings as Kafka names them."""
    kept = -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000)
    return {"cleanup.policy": topic.cleanup, "retention.ms": str(kept), **topic.settings}


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=15_000)
    try:
        await admin.start()
        yield admin
    except Exception as error:
        if not broker.is_away(error):
            raise
        raise Unavailable("KAFKA_UNAVAILABLE", f"Kafka at {bootstrap}: {type(error).__name__}") from error
    finally:
        await admin.close()


async def _differences(admin: AIOKafkaAdminClient, topics: Sequence[Topic], prefix: str) -> list[Difference]:
    names = set(await admin.list_topics())
    there = [t for t in topics if prefix + t.name in names]
    found = [
        Difference(prefix + t.name, "topic", None, f"{t.partitions} partitions, {t.cleanup}")
        for t in topics
        if t not in there
    ]
    if not there:
        return found
    described = await admin.describe_topics([prefix + t.name for t in there])
    counts = {d["topic"]: len(d["partitions"]) for d in described}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, prefix + t.name) for t in there])
    settings = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    for topic in there:
        name = prefix + topic.name
        if counts[name] != topic.partitions:
            found.append(Difference(name, "partitions", str(counts[name]), str(topic.partitions)))
        for key, wanted in wanted_settings(topic).items():
            if settings[name].get(key) != wanted:
                found.append(Difference(name, key, str(settings[name].get(key)), wanted))
    return found


async def plan(bootstrap: str, topics: Sequence[Topic], prefix: str = "") -> list[Difference]:
    """Return what `apply` would change; change nothing."""
    async with _admin(bootstrap) as admin:
        return await _differences(admin, topics, prefix)


async def apply(bootstrap: str, topics: Sequence[Topic], prefix: str = "") -> list[Difference]:
    """Make the topics as declared; return what was changed. Safe to repeat.

    Raises:
        Misconfigured: A topic has another number of partitions than declared: a change would put keys elsewhere.
    """
    async with _admin(bootstrap) as admin:
        differences = await _differences(admin, topics, prefix)
        declared = {prefix + t.name: t for t in topics}
        other = [d for d in differences if d.what == "partitions"]
        if other:
            raise Misconfigured(
                f"{other[0]}: another count would put keys elsewhere and break their order; use another "
                "ATTEND_TOPIC_PREFIX, or re-create the topic"
            )
        await _create(admin, [declared[d.topic] for d in differences if d.found is None], prefix)
        changed = {d.topic for d in differences if d.found is not None}
        if changed:
            await admin.alter_configs(
                [
                    ConfigResource(ConfigResourceType.TOPIC, name, wanted_settings(declared[name]))
                    for name in sorted(changed)
                ]
            )
        await _until_seen(admin, topics, prefix)
        return differences


async def _until_seen(admin: AIOKafkaAdminClient, topics: Sequence[Topic], prefix: str) -> None:
    """Wait until every broker asked knows what was changed: a service that starts next must find it so."""
    for _ in range(int(SEEN_TIMEOUT_S / SEEN_LOOK_S)):
        if not await _differences(admin, topics, prefix):
            return
        await asyncio.sleep(SEEN_LOOK_S)
    raise Unavailable("TOPICS_NOT_SEEN", f"the changes are not to be seen after {SEEN_TIMEOUT_S} s")


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[Topic], prefix: str) -> None:
    if not topics:
        return
    replication = min(REPLICATION, len((await admin.describe_cluster())["brokers"]))
    answer = await admin.create_topics(
        [NewTopic(prefix + t.name, t.partitions, replication, topic_configs=wanted_settings(t)) for t in topics]
    )
    for error in answer.topic_errors:
        kind = for_code(error[1])
        if error[1] != 0 and kind is not TopicAlreadyExistsError:  # another apply was quicker
            raise Unavailable("TOPIC_NOT_CREATED", f"{error[0]}: {kind.__name__}")


async def check(bootstrap: str, topics: Sequence[Topic], prefix: str = "") -> None:
    """Refuse to start on topics other than declared.

    Raises:
        Misconfigured: Names the first difference and what mends it.
    """
    differences = await plan(bootstrap, topics, prefix)
    if differences:
        raise Misconfigured(refusal(differences[0]))


def refusal(difference: Difference) -> str:
    """Return what is said of the first difference: a broker names no topic to whom it does not let describe it."""
    mend = "run `attend topics apply`"
    if difference.found is None:
        mend += ", or give this service its rights to the topic (deploy/README.md, Rights at the broker)"
    return f"topics are not as declared: {difference}; {mend}"
