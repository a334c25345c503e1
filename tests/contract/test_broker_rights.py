"""The rights listed on the page of the containers are those that the parts use: a missing one shows late."""

import re
from pathlib import Path

import pytest

from chassis.kafka.topics import Difference, refusal
from schemas import topics
from tests.support.examples import ROOT

PAGE = (ROOT / "deploy" / "README.md").read_text()
ROWS = {
    part: (re.findall(r"`([a-z-]+)`", reads), re.findall(r"`([a-z-]+)`", writes))
    for part, reads, writes in re.findall(r"^\| ([a-z ]+) \| ([^|]*) \| ([^|]*)\|$", PAGE, re.MULTILINE)
    if part in {"booking", "records", "reminders worker", "reminders projector", "notifier"}
}
WIRING = {
    "booking": "services/booking/src/booking/wiring/__init__.py",
    "records": "services/records/src/records/wiring.py",
    "reminders": "services/reminders/src/reminders/wiring.py",
    "notifier": "services/notifier/src/notifier/wiring/service.py",
}


def used(source: Path) -> set[str]:
    """Return the topics that a part is put together with."""
    (names,) = re.findall(r"^from schemas\.topics import (.+)$", source.read_text(), re.MULTILINE)
    return {getattr(topics, name).name for name in names.split(", ")}


@pytest.mark.parametrize("service", sorted(WIRING))
def test_a_part_has_rights_to_the_topics_that_it_uses_and_to_no_other(service: str) -> None:
    listed = {topic for part, rights in ROWS.items() if part.startswith(service) for each in rights for topic in each}

    assert listed - {topics.BOOKINGS_INBOUND.name, topics.CLEARANCES_INBOUND.name} == used(ROOT / WIRING[service])


def test_a_topic_is_written_by_its_owner_alone() -> None:
    owners = {topic.name: topic.owner for topic in topics.ALL if topic.owner != "upstream"}
    writers = {topic: part.split()[0] for part, (_, writes) in ROWS.items() for topic in writes}

    assert writers == owners


def test_the_notifier_reads_those_for_whom_messages_wait() -> None:
    assert {"patients", "providers"} <= set(ROWS["notifier"][0])


def test_a_topic_that_is_not_seen_may_be_one_that_is_not_shown() -> None:
    missing = refusal(Difference("patients", "topic", None, "1 partitions, compact"))
    other = refusal(Difference("patients", "partitions", "3", "1"))

    assert missing.endswith("or give this service its rights to the topic (deploy/README.md, Rights at the broker)")
    assert other.endswith("run `attend topics apply`")
