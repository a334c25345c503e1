"""The story of a replay: read again, done once, noted; or refused, and left as it was."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from notifier.callbacks.handle.intake import Batch, Came, Intake, Unread
from notifier.callbacks.handle.replay import Kept, NotReplayable, Replayed, StillUnreadable, replay
from notifier.receipts.domain import Carrier
from tests.support.notifier.builders import NOW, PEPPERS
from tests.unit.notifier.callbacks.test_intake import Kept as Unreadables
from tests.unit.notifier.callbacks.test_intake import Replies, Work, report, stop

CAME_IN = NOW - timedelta(hours=3)
ONE = Kept(Carrier.META, b"bytes", CAME_IN, is_whole=True, came=Came("statuses", "20"), replayed=None)


class Store:
    """One that was kept, under the number 1."""

    def __init__(self, one: Kept) -> None:
        self.one_of_it = one

    async def one(self, unreadable_id: int) -> Kept | None:
        return self.one_of_it if unreadable_id == 1 else None

    async def note(self, unreadable_id: int, replayed: Replayed) -> None:
        self.one_of_it = replace(self.one_of_it, replayed=replace(replayed, repeat=True))


class Parts:
    """A store and an intake that fails at items called `bad`."""

    def __init__(self, batch: Batch, one: Kept = ONE, error: Exception | None = None) -> None:
        self.store, self.kept, self.batch = Store(one), Unreadables(), batch
        self.receipts, self.replies = Work(error or RuntimeError("x")), Replies(error or RuntimeError("x"))
        self.asked: list[tuple[Any, ...]] = []
        self.intake = Intake(
            self.receipts, self.replies, self.kept, PEPPERS, RealClock(), lambda *_: None, lambda: None
        )

    def read(self, carrier: Carrier, content: bytes, came: Came) -> Batch:
        self.asked.append((carrier, content, came))
        return self.batch

    async def replay(self, number: int = 1, by: str = "ada") -> Replayed | None:
        return await replay(self.store, self.intake, self.read, number, by, NOW)


async def test_it_is_read_as_it_came_done_and_noted() -> None:
    parts = Parts(Batch([report("one")], [stop("two")]))

    assert await parts.replay() == Replayed(NOW, "ada")
    assert parts.asked == [(Carrier.META, b"bytes", Came("statuses", "20"))]
    assert (parts.receipts.done, parts.replies.done) == (["one"], ["two"])


async def test_twice_is_once_and_says_who_wanted_it_first() -> None:
    parts = Parts(Batch([report("one")]))
    await parts.replay()

    assert await parts.replay(by="bello") == Replayed(NOW, "ada", repeat=True)
    assert parts.receipts.done == ["one"]


@pytest.mark.parametrize(
    "batch",
    [Batch(unread=[Unread("statuses.id", b"bytes")]), Batch([report("bad")]), Batch([report("one")], [stop("bad")])],
)
async def test_what_cannot_be_read_or_done_now_either_stays_as_it_was_and_is_kept_no_second_time(batch: Batch) -> None:
    parts = Parts(batch)

    with pytest.raises(StillUnreadable) as refused:
        await parts.replay()

    assert refused.value.reasons in {("statuses.id",), ("INTERNAL RuntimeError",)}
    assert (parts.store.one_of_it, parts.kept.items) == (ONE, [])


async def test_one_that_was_cut_is_not_taken_for_whole() -> None:
    parts = Parts(Batch([report("one")]), replace(ONE, is_whole=False))

    with pytest.raises(NotReplayable):
        await parts.replay()

    assert (parts.asked, parts.receipts.done) == ([], [])


async def test_a_database_that_goes_away_leaves_it_to_be_replayed() -> None:
    parts = Parts(Batch([report("bad")]), error=Unavailable("DATABASE_UNAVAILABLE", "away"))

    with pytest.raises(Unavailable):
        await parts.replay()

    assert parts.store.one_of_it == ONE


async def test_one_that_nobody_knows_is_none() -> None:
    assert await Parts(Batch()).replay(2) is None


def test_d36_an_answer_that_says_no_time_of_its_own_is_as_old_as_it_came_in() -> None:
    dated, undated = stop("one"), stop("two")
    dated = replace(dated, said=replace(dated.said, sent_at=NOW))

    heard = Batch(answers=[dated, undated]).heard_at(CAME_IN)

    assert [one.said.sent_at for one in heard.answers] == [NOW, CAME_IN]
