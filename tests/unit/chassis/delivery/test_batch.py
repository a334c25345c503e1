"""One batch, one transaction: what is told after it, and what became of each record of each partition (I3)."""

import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from chassis.delivery.batch import Batch, Part
from chassis.delivery.offsets import Overtaken
from chassis.delivery.subscription import Applied, Subscription
from chassis.delivery.unreadable_limit import PER_MINUTE, Breaker
from chassis.postgres.after_commit import after_commit
from chassis.postgres.database import unavailable
from chassis.process.errors import RejectedEvent, Unavailable
from chassis.process.metrics import Metrics
from schemas.topics import APPOINTMENTS
from schemas.wire import Undecodable

A, B = TopicPartition("t", 3), TopicPartition("t", 7)
NO = RejectedEvent("NO", "refused")


class FakePostgres:
    """A pool, its connection and its transaction in one: notes what is done, in order, and keeps what is committed.

    Args:
        overtaken: Partitions whose positions are no longer where they are held.
        commits: Whether a commit goes through.
    """

    def __init__(self, *, overtaken: Collection[int] = (), commits: bool = True) -> None:
        self.done: list[str] = []
        self.counts: dict[int, list[int]] = {}
        self.dead: list[tuple[int, int, str]] = []
        self._open: list[Callable[[], object]] = []
        self._overtaken = overtaken
        self._commits = commits

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["FakePostgres"]:
        with unavailable():  # as `chassis.postgres.database.Pool`
            yield self

    def transaction(self) -> "FakePostgres":
        return self

    async def start(self) -> None:
        self.done.append("begin")
        self._open = []

    async def commit(self) -> None:
        if not self._commits:
            raise ConnectionResetError
        self.done.append("commit")
        for change in self._open:
            change()

    async def rollback(self) -> None:
        self.done.append("rollback")

    async def fetch(self, _move: str, _consumer: str, _t: Any, numbers: Any, _h: Any, _to: Any, records: Any) -> Any:
        self._open += [partial(self._add, *row, 0, 0, 0) for row in zip(numbers, records, strict=True)]
        return [number for number in numbers if number not in self._overtaken]

    async def execute(self, query: str, *arguments: Any) -> None:
        rows = list(zip(*arguments[1:], strict=True))
        if "dead_letter" in query:
            self._open += [partial(self.dead.append, (row[1], row[2], row[6])) for row in rows]
        else:
            self._open += [partial(self._add, row[1], -sum(row[2:]), *row[2:]) for row in rows]

    def _add(self, partition: int, *counts: int) -> None:
        held = self.counts.get(partition, [0, 0, 0, 0])
        self.counts[partition] = [one + more for one, more in zip(held, counts, strict=True)]


def batch(postgres: FakePostgres, breaker: Breaker | None = None, metrics: Metrics | None = None) -> Batch:
    pool: Any = postgres
    told = partial(postgres.done.append, "told")
    return Batch("ledger", pool, metrics or Metrics("ledger"), breaker or Breaker(), told)


type Story = Callable[[Sequence[bytes]], Applied]


def subscription(story: Story) -> Subscription[bytes]:
    async def apply(_connection: Any, events: Sequence[bytes]) -> Applied:
        return story(events)

    def decode(record: ConsumerRecord[bytes, bytes]) -> bytes:
        if record.value == b"unreadable":
            raise Undecodable("INVALID", "body: json_invalid")
        return record.value or b""

    return Subscription(APPOINTMENTS, decode, apply)


def part(tp: TopicPartition, *values: bytes, first: int = 0) -> Part:
    records = [
        ConsumerRecord(tp.topic, tp.partition, first + n, 0, 0, None, value, None, 0, 0, ())
        for n, value in enumerate(values)
    ]
    return Part(tp, records, first)


ONE, TWO = [part(A, b"a", b"b")], [part(A, b"a", b"b"), part(B, b"c")]
together = pytest.mark.parametrize("parts", [ONE, TWO], ids=["one partition", "two"])


async def applied(
    postgres: FakePostgres,
    story: Story,
    parts: Sequence[Part],
    breaker: Breaker | None = None,
    metrics: Metrics | None = None,
) -> dict[TopicPartition, int]:
    """Apply the parts; return where each partition stands after it."""
    moved: dict[TopicPartition, int] = {}
    await batch(postgres, breaker, metrics).apply(subscription(story), parts, moved.__setitem__)
    return moved


def all_new(_events: Sequence[bytes]) -> Applied:
    return Applied()


@together
async def test_whoever_waits_for_a_commit_is_told_after_it_and_once(parts: list[Part]) -> None:
    postgres = FakePostgres()

    assert await applied(postgres, all_new, parts) == {one.tp: one.end for one in parts}

    assert postgres.done == ["begin", "commit", "told"]


@together
async def test_r41_what_a_story_says_is_said_after_the_commit_and_never_of_one_that_failed(parts: list[Part]) -> None:
    async def done(postgres: FakePostgres) -> list[str]:
        def saying(_events: Sequence[bytes]) -> Applied:
            after_commit(postgres.done.append, "said")
            return Applied()

        with contextlib.suppress(Unavailable):
            await applied(postgres, saying, parts)
        return postgres.done

    assert await done(FakePostgres()) == ["begin", "commit", "said", "told"]
    assert "said" not in await done(FakePostgres(commits=False))


@together
async def test_nobody_is_told_of_what_was_rolled_back_or_of_a_commit_that_failed(parts: list[Part]) -> None:
    overtaken, cut = FakePostgres(overtaken=[parts[-1].tp.partition]), FakePostgres(commits=False)

    with pytest.raises(Overtaken):
        await applied(overtaken, all_new, parts)
    with pytest.raises(Unavailable):
        await applied(cut, all_new, parts)

    assert overtaken.done == ["begin", "rollback"]
    assert cut.done == ["begin"]


async def test_a_repeat_among_others_is_a_repeat_of_its_partition_and_costs_no_second_transaction() -> None:
    postgres, metrics = FakePostgres(), Metrics("ledger")

    await applied(postgres, lambda _: Applied(repeat=[2]), TWO, metrics=metrics)

    assert postgres.counts == {3: [2, 0, 0, 0], 7: [0, 1, 0, 0]}
    shown = {s.labels["effect"]: s.value for s in _samples(metrics) if s.name.endswith("_total")}
    assert shown == {"applied": 2, "repeat": 1}
    assert postgres.done == ["begin", "commit", "told"]


def _samples(metrics: Metrics) -> list[Any]:
    return [sample for family in metrics.events.collect() for sample in family.samples]


OUTCOMES = st.sampled_from([b"applied", b"repeat", b"stale", b"refused", b"unreadable"])


@given(st.lists(OUTCOMES, min_size=1, max_size=9), st.lists(OUTCOMES, min_size=1, max_size=9))
async def test_i3_each_record_is_counted_once_for_its_partition_as_what_became_of_it(
    first: list[bytes], second: list[bytes]
) -> None:
    def story(events: Sequence[bytes]) -> Applied:
        places = {name: [n for n, event in enumerate(events) if event == name] for name in set(events)}
        refused = [(place, NO) for place in places.get(b"refused", [])]
        return Applied(places.get(b"repeat", []), places.get(b"stale", []), refused)

    postgres = FakePostgres()

    await applied(postgres, story, [part(A, *first), part(B, *second, first=40)])

    for tp, values in ((A, first), (B, second)):
        dead = values.count(b"refused") + values.count(b"unreadable")
        assert postgres.counts[tp.partition] == [
            values.count(b"applied"), values.count(b"repeat"), values.count(b"stale"), dead
        ]  # fmt: skip
    unreadable = [(7, 40 + n, "INVALID") for n, value in enumerate(second) if value == b"unreadable"]
    assert [letter for letter in postgres.dead if letter[0] == 7 and letter[2] == "INVALID"] == unreadable
    assert postgres.done == ["begin", "commit", "told"]


async def test_of_all_that_is_applied_it_says_how_many_events_took_effect() -> None:
    parts = [part(A, b"a", b"unreadable"), part(B, b"c", b"d", b"e", first=40)]

    async def effects(story: Story) -> int:
        return await batch(FakePostgres()).apply(subscription(story), parts, lambda *_: None)

    assert await effects(all_new) == 4
    assert await effects(lambda _: Applied(repeat=[0], stale=[1], rejected=[(2, NO)])) == 1
    assert await effects(lambda events: Applied(repeat=range(len(events)))) == 0
    assert await effects(crashes_on_c) == 3


def crashes_on_c(events: Sequence[bytes]) -> Applied:
    if b"c" in events:
        raise ZeroDivisionError
    return Applied()


async def test_what_one_record_causes_is_its_dead_letter_and_the_rest_of_all_partitions_takes_effect() -> None:
    postgres = FakePostgres()

    moved = await applied(postgres, crashes_on_c, [part(A, b"a", b"b"), part(B, b"d", b"c", b"e")])

    assert moved == {A: 2, B: 3}
    assert postgres.counts == {3: [2, 0, 0, 0], 7: [2, 0, 0, 1]}
    assert postgres.dead == [(7, 1, "INTERNAL")]


async def test_r9_a_failure_is_logged_with_its_place_and_its_cause_and_nothing_of_the_record() -> None:
    with capture_logs() as lines:
        await applied(FakePostgres(), crashes_on_c, [part(A, b"unreadable"), part(B, b"a", b"c")])

    failed = next(line for line in lines if line["event"] == "record.failed")
    dead = [line["codes"] for line in lines if line["event"] == "records.dead"]
    assert (failed["topic_name"], failed["partition"], failed["offset"]) == ("t", 7, 1)
    assert failed["exc_info"]
    assert dead == [{"INVALID": 1}, {"INTERNAL": 1}]
    assert not any("unreadable" in str(line) or "b'c'" in str(line) for line in lines)


async def test_of_very_many_bad_records_of_our_own_only_so_many_are_taken_as_open_the_breaker() -> None:
    postgres, breaker = FakePostgres(), Breaker()

    await applied(postgres, all_new, [part(A, *[b"unreadable"] * 50), part(B, b"a")], breaker)

    assert breaker.is_open
    assert postgres.counts == {3: [0, 0, 0, PER_MINUTE]}
