"""Topics that are not as the timers need them: a clear refusal at the start."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.kafka import topics
from schemas.topics import TIMERS_CHANGELOG, Topic
from stack.kafka import Kafka
from tests.chaos.timers.workers import TOPICS, ended, opened

OTHERS = tuple(topic for topic in TOPICS if topic is not TIMERS_CHANGELOG)


@pytest.mark.chaos
@pytest.mark.parametrize(
    ("found", "says"),
    [
        pytest.param(OTHERS, "+ {name}: 12 partitions, compact", id="missing"),
        pytest.param(
            (*OTHERS, replace(TIMERS_CHANGELOG, cleanup="delete")), "cleanup.policy delete → compact", id="policy"
        ),
        pytest.param((*OTHERS, replace(TIMERS_CHANGELOG, partitions=6)), "partitions 6 → 12", id="partitions"),
    ],
)
async def test_a_changelog_other_than_declared_stops_the_start_with_the_way_out(
    broker: Kafka, tmp_path: Path, found: tuple[Topic, ...], says: str, say: Callable[[str], None]
) -> None:
    async with opened(broker, tmp_path, found) as timers:
        worker = timers.worker()
        code = await ended(worker)
        lines = [json.loads(line) for line in worker.log.splitlines()]
        log = "".join(line.get("reason_text", "") for line in lines)
        wanted = says.format(name=timers.name(TIMERS_CHANGELOG))
        say(f"changelog not as declared: exit {code}, says {wanted!r}: {wanted in log}")
        assert code == 78
        assert wanted in log
        assert "attend topics apply" in log
        if not says.startswith("partitions"):  # another count cannot be mended in place, and apply says so
            await topics.apply(timers.installation.bootstrap, TOPICS, timers.installation.topic_prefix)
            await timers.ready(timers.worker())
