"""What a relay makes of a round's answers: which partitions are passed over, and when Kafka is away (G8)."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from chassis.kafka.producer import Fenced
from chassis.outbox.relay import ROUND, Relay
from chassis.outbox.statements import BEGIN, LOOK, PLACE, UNPLACED
from chassis.postgres.database import unavailable
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from chassis.process.settings import ServiceSettings
from schemas.topics import Topic

NOTES = Topic("notes", "records", "entity", 3)
A, B, C = (("notes", number) for number in range(3))


class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0


def made(parts: Any) -> Relay:
    settings = Settings(database_url=SecretStr("postgresql://"), kafka_bootstrap_servers="127.0.0.1:1")
    seams = {"publisher": parts, "monotonic": lambda: parts.now}
    return Relay(parts, settings, Metrics("records"), RealClock(), [NOTES], **seams)


@pytest.fixture
def relay() -> Relay:
    return made(FakeParts())


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
    """PostgreSQL and Kafka in one: notes what is asked of them, in order.

    Attributes:
        waiting: The rows of the outbox, by their ids.
        unplaced: How many rows of the release before there are.
        most: Rows that PostgreSQL places or deletes in one transaction; with more it is cut.
        most_read: Rows that it reads in one; likewise.
        kafka_s: How long Kafka takes to acknowledge, by the clock.
        now: The clock.
    """

    def __init__(self, *waiting: dict[str, Any], unplaced: int = 0) -> None:
        self.asked: list[str] = []
        self.places: Sequence[Any] = []
        self.share = 0
        self.waiting = {row["id"]: row for row in waiting}
        self.unplaced = unplaced
        self.most = self.most_read = ROUND
        self.kafka_s = 0.0
        self.now = 0.0
        self.looks = 0
        self.rounds: list[list[int]] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["FakeParts"]:
        with unavailable():  # as `chassis.postgres.database.Pool`
            yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield

    async def fetch(self, query: str, *arguments: Any) -> list[Any]:
        if query == BEGIN:
            return [(True, self.unplaced > 0, None)]
        if query == LOOK:
            self.looks += 1
            assert self.looks < 100, "it looks and looks"
            return [(bool(self.waiting), None)]
        if query == UNPLACED:
            unplaced = range(self.unplaced)[: arguments[1]]
            return self._read([{"id": number, "topic": "notes", "key": b"k"} for number in unplaced])
        self.asked.append("rows")
        _, numbers, self.share, _ = arguments
        of_each = ([row for row in self.waiting.values() if row["partition"] == number] for number in numbers)
        return self._read([row for rows in of_each for row in rows[: self.share]])

    def _read(self, rows: list[Any]) -> list[Any]:
        if len(rows) > self.most_read:
            raise asyncpg.PostgresError.new({"C": "25P04", "M": "cut"})
        return rows

    async def execute(self, query: str, ids: Sequence[int], *_: Any) -> None:
        self.rounds.append(list(ids))
        if len(ids) > self.most:
            raise asyncpg.PostgresError.new({"C": "25P04", "M": "cut"})
        if query == PLACE:
            self.unplaced -= len(ids)
        else:
            self.waiting = {number: row for number, row in self.waiting.items() if number not in ids}

    async def ready(self, places: Sequence[Any], deadline_s: float) -> Sequence[Any]:
        self.asked.append("producer")
        self.places = places
        return places

    async def publish(self, records: Sequence[Any], deadline_s: float) -> list[Any]:
        self.now += self.kafka_s
        return [True] * len(records)

    async def close(self) -> None:
        pass

    @property
    def sizes(self) -> list[int]:
        return [len(ids) for ids in self.rounds]


def row(number: int, partition: int) -> dict[str, Any]:
    return {
        "id": number, "topic": "notes", "partition": partition, "key": b"k", "headers": b"[]", "value": b"",
        "age_s": 0.0,
    }  # fmt: skip


async def rounds(relay: Relay, parts: FakeParts, count: int = 100) -> None:
    """Do rounds until nothing waits, whatever becomes of them."""
    while parts.waiting or parts.unplaced:
        count -= 1
        assert count > 0, parts.sizes
        with suppress(Unavailable):
            await relay.round()


async def test_a_producer_is_had_before_the_rows_are_read_and_each_partition_has_its_share_of_a_round() -> None:
    """Made afterwards it would fence whoever published since, and what it writes is older than that."""
    parts = FakeParts()

    await made(parts).round()

    assert parts.asked == ["producer", "rows"]
    assert 0 < parts.share * NOTES.partitions <= ROUND


async def test_a_round_is_not_for_a_partition_that_is_passed_over() -> None:
    parts = FakeParts()
    relay = made(parts)
    relay._judge([A, B, C], [A, B, C], [(A, False), (B, True), (C, True)])

    await relay.round()

    assert parts.places == [B, C]


async def test_a_round_that_is_cut_is_followed_by_one_of_half_as_many() -> None:
    parts = FakeParts(*(row(number, number % 3) for number in range(64)))
    parts.most = 10
    relay = made(parts)

    await rounds(relay, parts)

    assert parts.sizes[:4] == [64, 30, 15, 6]
    assert max(parts.sizes[4:]) > 6


@pytest.mark.parametrize("unplaced", [0, 90])
async def test_a_round_that_is_cut_while_it_reads_is_followed_by_one_of_half_as_many(unplaced: int) -> None:
    parts = FakeParts(*(row(number, number % 3) for number in range(90)), unplaced=unplaced)
    parts.most_read = 10

    await rounds(made(parts), parts)

    assert max(parts.sizes) <= 10


async def test_however_slow_kafka_is_rounds_grow_with_what_postgresql_takes() -> None:
    parts = FakeParts(*(row(number, 0) for number in range(3)))
    parts.most, parts.kafka_s = 0, 3.0
    relay = made(parts)
    for _ in range(9):
        with suppress(Unavailable):
            await relay.round()
    parts.most = ROUND
    parts.waiting = {number: row(number, number % 3) for number in range(3_000)}
    parts.rounds.clear()

    await rounds(relay, parts, 20)

    assert parts.sizes[0] == 1
    assert max(parts.sizes) > 500


async def test_a_round_may_be_smaller_than_there_are_partitions_and_begins_with_what_waits_longest() -> None:
    parts = FakeParts(row(1, 2), row(2, 0), row(3, 1), row(4, 2))
    parts.most = 1
    relay = made(parts)

    await rounds(relay, parts)

    assert [ids for ids in parts.rounds if len(ids) == 1] == [[1], [2], [3], [4]]


async def test_rows_of_the_release_before_are_given_their_places_in_rounds_that_learn_likewise() -> None:
    parts = FakeParts(unplaced=100)
    parts.most = 30
    relay = made(parts)

    await rounds(relay, parts)

    assert parts.sizes[:3] == [100, 50, 25]
    assert sum(size for size in parts.sizes if size <= 30) == 100


async def test_after_a_round_that_was_cut_the_next_is_not_at_once() -> None:
    parts = FakeParts(*(row(number, 0) for number in range(ROUND)))
    parts.most = 10
    relay = made(parts)

    with pytest.raises(Unavailable):
        await relay.round()
    assert not relay._more
    parts.most = ROUND
    await relay.round()
    assert relay._more


async def test_when_a_round_took_all_that_waited_the_relay_rests() -> None:
    parts, stop = FakeParts(*(row(number, 0) for number in range(ROUND // 3))), asyncio.Event()
    running = asyncio.create_task(made(parts).run(stop))
    for _ in range(20):
        await asyncio.sleep(0)

    stop.set()
    await running
    assert (parts.sizes, parts.looks) == ([ROUND // 3], 1)
