"""One batch, one transaction: what is told after it, and what became of each record (I3)."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from chassis.after_commit import after_commit
from chassis.batch import Apart, Batch, Part
from chassis.breaker import Breaker
from chassis.errors import RejectedEvent, Unavailable
from chassis.metrics import Metrics
from chassis.offsets import Overtaken
from chassis.subscription import Applied, Subscription
from schemas.topics import APPOINTMENTS

TP = TopicPartition("t", 3)


class FakePostgres:
    """A pool, its connection and its transaction in one: notes what is done, in order.

    Args:
        moved: Whether the position is where it is held.
        commits: Whether a commit goes through.
    """

    def __init__(self, *, moved: bool = True, commits: bool = True) -> None:
        self.done: list[str] = []
        self.counted: list[tuple[Any, ...]] = []
        self._moved = moved
        self._commits = commits

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator["FakePostgres"]:
        yield self

    def transaction(self) -> "FakePostgres":
        return self

    async def start(self) -> None:
        self.done.append("begin")

    async def commit(self) -> None:
        if not self._commits:
            raise ConnectionResetError
        self.done.append("commit")

    async def rollback(self) -> None:
        self.done.append("rollback")

    async def fetchval(self, *_: Any) -> int | None:
        return 1 if self._moved else None

    async def fetch(self, _query: str, _consumer: str, _topics: Any, partitions: Any, *counts: Any) -> list[Any]:
        self.counted.append(tuple(counts[-1]))
        return list(partitions) if self._moved else []

    async def execute(self, query: str, *arguments: Any) -> None:
        if "applied = applied" in query:
            self.counted.append(arguments[3:])


def batch(postgres: FakePostgres) -> Batch:
    pool: Any = postgres
    return Batch("ledger", pool, Metrics("ledger"), Breaker(), lambda: postgres.done.append("told"))


def subscription(outcome: Applied) -> Subscription[bytes]:
    async def apply(_connection: Any, _events: Sequence[bytes]) -> Applied:
        return outcome

    return Subscription(APPOINTMENTS, lambda record: record.value or b"", apply)


def records(count: int) -> list[Any]:
    return [ConsumerRecord("t", 3, offset, 0, 0, None, b"", None, 0, 0, ()) for offset in range(count)]


async def alone(postgres: FakePostgres, outcome: Applied, count: int = 4) -> int:
    """Apply so many records alone; return the position after it."""
    moved: list[int] = []
    await batch(postgres).apply(TP, subscription(outcome), records(count), 0, moved.append)
    return moved[-1]


async def together(postgres: FakePostgres, outcome: Applied, count: int = 4) -> None:
    """Apply so many records of one partition as a joint batch."""
    await batch(postgres).together(subscription(outcome), [Part(TP, records(count), 0)])


async def test_whoever_waits_for_a_commit_is_told_after_it_and_once() -> None:
    postgres = FakePostgres()

    assert await alone(postgres, Applied(4)) == 4

    assert postgres.done == ["begin", "commit", "told"]


async def test_whoever_waits_for_a_joint_commit_is_told_after_it_and_once() -> None:
    postgres = FakePostgres()

    await together(postgres, Applied(4))

    assert postgres.done == ["begin", "commit", "told"]


def saying(postgres: FakePostgres) -> Subscription[bytes]:
    """Return a subscription whose story says what it did, as stories do: within the transaction."""

    async def apply(_connection: Any, events: Sequence[bytes]) -> Applied:
        after_commit(postgres.done.append, "said")
        return Applied(len(events))

    return Subscription(APPOINTMENTS, lambda record: record.value or b"", apply)


@pytest.mark.parametrize("joint", [False, True])
async def test_r41_what_a_story_says_is_said_after_the_commit_and_never_of_one_that_failed(joint: bool) -> None:
    async def applied(postgres: FakePostgres) -> list[str]:
        work = batch(postgres)
        if joint:
            doing = work.together(saying(postgres), [Part(TP, records(4), 0)])
        else:
            doing = work.apply(TP, saying(postgres), records(4), 0, lambda _: None)
        with contextlib.suppress(Unavailable):
            await doing
        return postgres.done

    assert await applied(FakePostgres()) == ["begin", "commit", "said", "told"]
    assert "said" not in await applied(FakePostgres(commits=False))


@pytest.mark.parametrize("way", [alone, together])
async def test_nobody_is_told_of_what_was_rolled_back_or_of_a_commit_that_failed(way: Any) -> None:
    overtaken, cut = FakePostgres(moved=False), FakePostgres(commits=False)

    with pytest.raises(Overtaken):
        await way(overtaken, Applied(4))
    with pytest.raises(Unavailable):
        await way(cut, Applied(4))

    assert overtaken.done == ["begin", "rollback"]
    assert cut.done == ["begin"]


async def test_alone_each_record_is_counted_as_what_became_of_it() -> None:
    postgres = FakePostgres()

    await alone(postgres, Applied(1, 2, 3, ((4, RejectedEvent("NO", "refused")),)), 7)

    assert postgres.counted == [(1, 2, 3, 1)]


async def test_jointly_all_take_effect_and_are_counted_as_applied() -> None:
    postgres = FakePostgres()

    await together(postgres, Applied(4))

    assert postgres.counted == [(4,)]


@pytest.mark.parametrize(
    "outcome",
    [
        Applied(3, 1),
        Applied(0, 4),
        Applied(3, 0, 1),
        Applied(3, 0, 0, ((3, RejectedEvent("NO", "refused")),)),
        Applied(4, 0, 0, ((3, RejectedEvent("NO", "refused")),)),
    ],
)
async def test_a_joint_batch_with_a_repeat_a_stale_or_a_refused_record_is_undone_and_settled_apart(
    outcome: Applied,
) -> None:
    postgres = FakePostgres()

    with pytest.raises(Apart):
        await together(postgres, outcome)

    assert postgres.done == ["begin", "rollback"]
