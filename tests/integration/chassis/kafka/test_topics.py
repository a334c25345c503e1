"""Topics are as declared, or nobody starts: plan shows, apply makes, check refuses and says how to mend (design §2)."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.kafka import topics
from chassis.process.errors import Misconfigured, Unavailable
from schemas.topics import Topic
from stack.ports import free_port
from tests.support.backends import KafkaServer
from tests.support.topics import delete_topics

DAILY = Topic("daily", "booking", "id", 3, retention=timedelta(days=1))
LATEST = Topic("latest", "booking", "id", 1, cleanup="compact", settings={"segment.ms": "3600000"})


@pytest.fixture
async def prefix(kafka: KafkaServer, topic_prefix: str) -> AsyncIterator[str]:
    yield topic_prefix
    await delete_topics(kafka.bootstrap, topic_prefix + DAILY.name, topic_prefix + LATEST.name)


async def test_a_plan_shows_what_is_missing_and_changes_nothing(kafka: KafkaServer, topic_prefix: str) -> None:
    for _ in range(2):
        planned = [str(d) for d in await topics.plan(kafka.bootstrap, [DAILY, LATEST], topic_prefix)]
        assert planned == [
            f"+ {topic_prefix}daily: 3 partitions, delete",
            f"+ {topic_prefix}latest: 1 partitions, compact",
        ]


async def test_apply_makes_them_once_and_then_changes_nothing(kafka: KafkaServer, prefix: str) -> None:
    assert len(await topics.apply(kafka.bootstrap, [DAILY, LATEST], prefix)) == 2
    assert await topics.apply(kafka.bootstrap, [DAILY, LATEST], prefix) == []
    await topics.check(kafka.bootstrap, [DAILY, LATEST], prefix)


async def test_another_setting_is_named_refused_at_start_and_mended_by_apply(kafka: KafkaServer, prefix: str) -> None:
    await topics.apply(kafka.bootstrap, [DAILY, LATEST], prefix)
    weekly = replace(DAILY, retention=timedelta(days=7))

    with pytest.raises(Misconfigured, match=r"daily: retention.ms 86400000 → 604800000; run `attend topics apply`"):
        await topics.check(kafka.bootstrap, [weekly], prefix)
    await topics.apply(kafka.bootstrap, [weekly], prefix)
    await topics.check(kafka.bootstrap, [weekly], prefix)


async def test_another_number_of_partitions_is_never_changed_since_keys_would_move(
    kafka: KafkaServer, prefix: str
) -> None:
    await topics.apply(kafka.bootstrap, [DAILY, LATEST], prefix)
    more = replace(DAILY, partitions=6)

    with pytest.raises(Misconfigured, match=r"daily: partitions 3 → 6"):
        await topics.check(kafka.bootstrap, [more], prefix)
    with pytest.raises(Misconfigured, match="would put keys elsewhere"):
        await topics.apply(kafka.bootstrap, [more], prefix)


async def test_a_missing_topic_stops_the_start_with_the_command_that_makes_it(
    kafka: KafkaServer, topic_prefix: str
) -> None:
    with pytest.raises(Misconfigured, match=rf"\+ {topic_prefix}daily.*run `attend topics apply`"):
        await topics.check(kafka.bootstrap, [DAILY], topic_prefix)


async def test_no_broker_is_unavailable_not_misconfigured() -> None:
    with pytest.raises(Unavailable, match="KAFKA_UNAVAILABLE"):
        await topics.plan(f"127.0.0.1:{free_port()}", [DAILY])
