"""What carriers send in, taken item by item: one that cannot be read or done is kept and harms none beside it.

A carrier packs reports and answers of many patients into one request, and repeats the whole until it is answered 2xx.
So each item stands for itself. Only a database that is away refuses the whole: then the carrier comes again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import structlog

from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.receipts.domain import Carrier, Receipt
from notifier.receipts.handle import Heard, Receipts, hear
from notifier.replies.handle import Incoming, Replies, Reply, answer
from notifier.values.addresses import Peppers

_USER = re.compile(r"[A-Z]{2}(\.ENT)?\.[A-Za-z0-9]{1,128}")
"""Business-scoped ids of WhatsApp: a country's two letters, a dot, letters and digits; a parent's says ENT between."""


def user_ids(*given: object) -> tuple[str, ...]:
    """Return those of the values that are such ids, each once, in their order."""
    return tuple(dict.fromkeys(one for one in given if isinstance(one, str) and _USER.fullmatch(one)))


log: structlog.stdlib.BoundLogger = structlog.get_logger()

NOTHING = Heard(0, 0, ())


@dataclass(frozen=True, slots=True)
class Came:
    """How an item came in, so that its bytes can be read again.

    Attributes:
        form: What it is, in the words of its carrier's reader; empty: it cannot be read by itself.
        account: Whose secret signed it.
    """

    form: str = ""
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """An item that cannot be read, or whose doing failed.

    Attributes:
        reason: The place or the kind of trouble, in our words; never a value.
    """

    reason: str
    content: bytes
    came: Came = field(default=Came(), compare=False)


@dataclass(frozen=True, slots=True)
class Item[T]:
    """An item as read, with its bytes as it came."""

    said: T
    content: bytes
    came: Came = field(default=Came(), compare=False)


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request of a carrier, one mail or one look holds."""

    reports: Sequence[Item[Receipt]] = ()
    answers: Sequence[Item[Incoming]] = ()
    unread: Sequence[Unread] = ()

    def by(self, account: str, form: str = "") -> "Batch":
        """Return it as said by the carrier of this account: of no other account's messages it says anything.

        Args:
            form: What all of it is, where the items do not say it themselves.
        """

        def came(one: Item[Receipt] | Item[Incoming] | Unread) -> Came:
            return Came(form or one.came.form, account)

        return replace(
            self,
            reports=[replace(one, said=replace(one.said, account=account), came=came(one)) for one in self.reports],
            answers=[replace(one, said=replace(one.said, account=account), came=came(one)) for one in self.answers],
            unread=[replace(one, came=came(one)) for one in self.unread],
        )

    def heard_at(self, at: datetime) -> "Batch":
        """Return it as heard at this instant, which counts for answers that say no time of their own."""
        answers = [replace(one, said=replace(one.said, sent_at=one.said.sent_at or at)) for one in self.answers]
        return replace(self, answers=answers)


@dataclass(frozen=True, slots=True)
class Done:
    """What a batch came to.

    Attributes:
        unread: What of it cannot be read or done.
        said_back: What is to be said with the 2xx to who sent it.
    """

    heard: Heard
    unread: Sequence[Unread] = ()
    said_back: Sequence[str] = ()


class Unreadables(Protocol):
    """Where unreadable items are kept."""

    async def keep(self, carrier: Carrier, items: Sequence[Unread]) -> int:
        """Keep each once, with its bytes; return how many were new.

        Raises:
            Unavailable: The database cannot be used now; none was kept.
        """


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes batches.

    Attributes:
        count: Counts (carrier, fate, number).
        committed: Called after every commit that may have made work for lanes or the relay.
    """

    receipts: Receipts
    replies: Replies
    unreadables: Unreadables
    peppers: Peppers
    clock: Clock
    count: Callable[[str, str, int], None]
    committed: Callable[[], None]

    async def take(self, carrier: Carrier, batch: Batch) -> Done:
        """Do and keep everything in a batch; durable when this returns. The same again changes nothing.

        Raises:
            Unavailable: The database cannot be used now. What was done before is done; the same is to be taken again.
        """
        done = await self.do(carrier, batch)
        if done.unread:
            await self.unreadables.keep(carrier, done.unread)
            self.count(carrier.value, "unreadable", len(done.unread))
            reasons = sorted({one.reason for one in done.unread})
            log.warning("callback.unreadable", carrier=carrier.value, reasons=reasons)
        return done

    async def do(self, carrier: Carrier, batch: Batch) -> Done:
        """Do everything in a batch that can be done."""
        unread = list(batch.unread)
        heard = await self._reports(carrier, batch.reports, unread)
        replies = [await self._answer(carrier, one, unread) for one in batch.answers]
        return Done(heard, unread, [one.said_back for one in replies if one and one.said_back])

    async def _reports(self, carrier: Carrier, items: Sequence[Item[Receipt]], unread: list[Unread]) -> Heard:
        """Apply reports together; if that fails, each alone, and keep the one that fails alone."""
        if not items:
            return NOTHING
        try:
            heard = await hear(self.receipts, [one.said for one in items], self.clock.now())
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever an item raises is that item's
            if len(items) == 1:
                unread.append(_failed(items[0], error))
                return NOTHING
            several = [await self._reports(carrier, [one], unread) for one in items]
            return replace(
                NOTHING,
                new=sum(one.new for one in several),
                applied=sum(one.applied for one in several),
                told=tuple(told for one in several for told in one.told),
            )
        self.count(carrier.value, "repeat", len(items) - heard.new)
        self.count(carrier.value, "unmatched", heard.new - heard.applied)
        self.count(carrier.value, "applied", heard.applied)
        if heard.told:
            self.committed()
        return heard

    async def _answer(self, carrier: Carrier, item: Item[Incoming], unread: list[Unread]) -> Reply | None:
        try:
            reply = await answer(self.replies, item.said, self.peppers, self.clock.now())
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001  # whatever an item raises is that item's
            unread.append(_failed(item, error))
            return None
        self.count(carrier.value, f"answer_{reply.verdict}" if reply else "repeat", 1)
        if reply:
            self.committed()
        return reply


def _failed(item: Item[Receipt] | Item[Incoming], error: Exception) -> Unread:
    """Return an item whose doing failed: its kind of error alone, for the words of errors hold values."""
    return Unread(f"INTERNAL {type(error).__name__}", item.content, item.came)
