"""What carriers send in is taken item by item: the one that fails is kept, and those beside it are done."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from notifier.callbacks.handle.intake import Batch, Intake, Item, Unread
from notifier.receipts.domain import Carrier, Receipt, Reported
from notifier.replies.handle import Incoming
from schemas.notifications import Channel
from tests.support.notifier.builders import PEPPERS


class Work:
    """A transaction that refuses what is called bad: nothing of it is kept then."""

    def __init__(self, error: Exception) -> None:
        self.error, self.done = error, list[str]()
        self._under_way: list[str] = []

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        self._under_way = []
        yield self
        self.done += self._under_way

    def _do(self, key: str) -> None:
        if key.startswith("bad"):
            raise self.error
        self._under_way.append(key)

    # of receipts

    async def keep(self, reports: Any, *_: Any) -> Sequence[Any]:
        if isinstance(reports, Sequence):
            for one in reports:
                self._do(one.key)
        return ()

    # of replies

    async def is_new(self, _reply_id: Any) -> bool:
        return True

    async def recipient(self, incoming: Any) -> None:
        return None

    async def identify(self, address: Any, *_: Any) -> tuple[Any, bool]:
        return address, True

    async def opt_out(self, *_: Any) -> None:
        return None

    async def messaged(self, *_: Any) -> Sequence[Any]:
        return ()


class Replies(Work):
    async def keep(self, reply: Any, *_: Any) -> Sequence[Any]:
        self._do(reply.incoming.key)
        return ()


class Kept:
    """Where unreadable items are kept."""

    def __init__(self) -> None:
        self.items: list[Unread] = []

    async def keep(self, _carrier: Carrier, items: Sequence[Unread]) -> int:
        self.items += items
        return len(items)


def report(key: str) -> Item[Receipt]:
    return Item(Receipt(Carrier.META, key, Reported.READ), key.encode())


def stop(key: str) -> Item[Incoming]:
    return Item(Incoming(Channel.WHATSAPP, key, "+442071838750", "STOP"), key.encode())


BATCH = Batch([report("one"), report("bad"), report("two")], [stop("bad"), stop("three")], [Unread("statuses", b"odd")])


def taking(error: Exception) -> tuple[Intake, Work, Replies, Kept, dict[tuple[str, str], int]]:
    receipts, replies, kept = Work(error), Replies(error), Kept()
    counted: dict[tuple[str, str], int] = {}

    def count(carrier: str, fate: str, number: int) -> None:
        counted[carrier, fate] = counted.get((carrier, fate), 0) + number

    return Intake(receipts, replies, kept, PEPPERS, RealClock(), count, lambda: None), receipts, replies, kept, counted


async def test_what_fails_alone_is_kept_with_its_bytes_and_the_rest_is_done() -> None:
    intake, receipts, replies, kept, counted = taking(RuntimeError("Ada, +442071838750"))

    await intake.take(Carrier.META, BATCH)

    assert receipts.done == ["one", "two"]
    assert replies.done == ["three"]
    assert kept.items == [
        Unread("statuses", b"odd"), Unread("INTERNAL RuntimeError", b"bad"), Unread("INTERNAL RuntimeError", b"bad"),
    ]  # fmt: skip
    assert counted["meta", "unreadable"] == 3
    assert counted["meta", "answer_opted-out"] == 1


async def test_a_database_that_is_away_is_no_fault_of_an_item() -> None:
    intake, _, _, kept, _ = taking(Unavailable("DATABASE_UNAVAILABLE", "away"))

    with pytest.raises(Unavailable):
        await intake.take(Carrier.META, BATCH)

    assert kept.items == []
