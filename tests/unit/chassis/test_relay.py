"""What a relay makes of a round's answers: which partitions are passed over, and when Kafka is away (G8)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from pydantic import SecretStr

from chassis.clock import RealClock
from chassis.errors import Unavailable
from chassis.metrics import Metrics
from chassis.outbox import ROUND, Relay
from chassis.outbox_sql import BEGIN
from chassis.producer import Fenced
from chassis.settings import ServiceSettings
from schemas.topics import Topic

NOTES = Topic("notes", "records", "entity", 3)
A, B, C = (("notes", number) for number in range(3))


class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0


def made(parts: Any) -> Relay:
    settings = Settings(database_url=SecretStr("postgresql://"), kafka_bootstrap_servers="127.0.0.1:1")
    return Relay(parts, settings, Metrics("records"), RealClock(), [NOTES], publisher=parts)


@pytest.fixture
def relay() -> Relay:
    return made(object())


def test_while_others_are_acknowledged_the_one_that_is_not_is_passed_over(relay: Relay) -> None:
    relay._judge([A, B, C], [A, B, C], [(A, False), (B, True), (C, True)])

    assert "notes[0] (1 times)" in (relay.reason() or "")


def test_one_that_fails_again_when_it_is_tried_alone_is_passed_over_for_longer(relay: Relay) -> None:
    relay._judge([A, B], [A, B], [(A, False), (B, True)])

    relay._judge([A], [A], [(A, False)])

    assert "notes[0] (2 times)" in (relay.reason() or "")


def test_one_for_which_there_is_no_producer_in_time_is_passed_over(relay: Relay) -> None:
    relay._judge([A, B], [B], [(B, True)])

    assert "notes[0] (1 times)" in (relay.reason() or "")


def test_once_it_is_acknowledged_it_is_passed_over_no_longer(relay: Relay) -> None:
    relay._judge([A, B], [A, B], [(A, False), (B, True)])

    relay._judge([A], [A], [(A, True)])

    assert relay.reason() is None


@pytest.mark.parametrize("answers", [[(A, False), (B, False)], [(A, False)], [(A, True), (A, False)], []])
def test_where_nothing_is_acknowledged_whole_kafka_is_away_and_nobody_is_passed_over(
    relay: Relay, answers: list[Any]
) -> None:
    with pytest.raises(Unavailable):
        relay._judge([A, B], [A, B] if answers else [], answers)

    assert relay.reason() is None


def test_what_was_fenced_is_read_anew_and_nobody_is_passed_over(relay: Relay) -> None:
    with pytest.raises(Fenced):
        relay._judge([A, B], [A, B], [(A, None), (B, True)])

    assert relay.reason() is None


class FakeParts:
    """PostgreSQL and Kafka in one: notes what is asked of them, in order, and how many rows of each partition."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.places: Sequence[Any] = []
        self.share = 0

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["FakeParts"]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        if query == BEGIN:
            return [(True, False, None)]
        self.asked.append("rows")
        self.share = arguments[2]
        return []

    async def ready(self, places: Sequence[Any], deadline_s: float) -> Sequence[Any]:
        self.asked.append("producer")
        self.places = places
        return places

    async def publish(self, records: Sequence[Any], deadline_s: float) -> list[Any]:
        return []


async def test_a_producer_is_had_before_the_rows_are_read_and_each_partition_has_its_share_of_a_round() -> None:
    """Made afterwards it would fence whoever published since, and what it writes is older than that."""
    parts = FakeParts()

    await made(cast(Any, parts)).round()

    assert parts.asked == ["producer", "rows"]
    assert 0 < parts.share * NOTES.partitions <= ROUND


async def test_a_round_is_not_for_a_partition_that_is_passed_over() -> None:
    parts = FakeParts()
    relay = made(cast(Any, parts))
    relay._judge([A, B, C], [A, B, C], [(A, False), (B, True), (C, True)])

    await relay.round()

    assert parts.places == [B, C]
