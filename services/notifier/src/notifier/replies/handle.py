"""What a patient writes back: understood, done and kept in one transaction before the carrier's 2xx (D36, B11)."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from notifier.replies.domain.reading import LONGEST_TEXT, Meaning, PatientReply, read
from notifier.replies.domain.visits import WRONG_CODES_AN_HOUR, Messaged, Verdict, Why, about, concerned, resolve
from notifier.replies.domain.who_we_are import ANSWERED_ONCE_IN, who_we_are
from notifier.values.addresses import Address, Peppers
from schemas.notifications import Channel
from schemas.wire import derived_id

log: structlog.stdlib.BoundLogger = structlog.get_logger()

AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that somebody sent to one of our numbers.

    Attributes:
        key: The carrier and its own id of the message.
        sender: A mobile number in E.164; None where a user name hides it.
        sent_at: By the carrier's clock, if it says so; of one that is replayed and says none, when it came in.
        account: Whose number it was sent to: what it orders is about visits that were written of by that account.
        user_ids: Business-scoped ids of WhatsApp of the sender; at least one where there is no number.
        in_reply_to: The carrier's own id of the message of ours that it answers, if it says so.
        can_be_answered: Whether the carrier takes words to say back with its 2xx, and has said none itself.
    """

    channel: Channel
    key: str
    sender: str | None
    text: str
    carrier_says: Meaning | None = None
    sent_at: datetime | None = None
    account: str | None = None
    user_ids: tuple[str, ...] = ()
    in_reply_to: str | None = None
    can_be_answered: bool = False

    @property
    def reply_id(self) -> UUID:
        """The same message always has the same id."""
        return derived_id("reply", self.key)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it is kept.

    Attributes:
        verdict: opted-out, opted-in, ordered or staff.
        why: Why staff must look at it; None if they need not.
        clinics: Those it may be meant for; empty if nobody of ours ever wrote there.
        said_back: What it is answered at once, with the carrier's 2xx: at most once, for a repeat is not answered.
    """

    incoming: Incoming
    address: Address
    answer: PatientReply
    verdict: str
    visit: Messaged | None = None
    why: Why | None = None
    clinics: tuple[str, ...] = ()
    said_back: str | None = None


class ReplyTransaction(Protocol):
    """Replies, opt-outs, the ledger and the gate inside one READ COMMITTED transaction."""

    async def recipient(self, incoming: Incoming) -> bytes | None:
        """Return the key of the number to which the message went that this one answers; None if none is known."""

    async def identify(
        self, address: Address | None, users: Sequence[bytes], now: datetime, written_to: bytes | None = None
    ) -> tuple[Address, bool]:
        """Return under what this sender is kept, and whether his number is known; other answers of his wait.

        A number and ids that come together are kept as one; the number that was written to goes first.
        """

    async def is_new(self, reply_id: UUID) -> bool:
        """Say whether this answer was never kept; others that bring the same one wait."""

    async def opt_out(self, address: Address, cause: str, now: datetime) -> None:
        """Stop every category on every channel of a number."""

    async def stopped_later(self, address: Address, sent_at: datetime) -> bool:
        """Say whether a STOP later than this instant was heard already: sent, or come in, or noted by staff."""

    async def opt_in(self, address: Address, cause: str, now: datetime) -> None:
        """Lift what `opt_out` stored."""

    async def messaged(self, address: Address, channel: Channel, account: str | None = None) -> Sequence[Messaged]:
        """Return the visits that this address was written to about on this channel, as the gate has them now.

        With an account those alone that it wrote of.
        """

    async def wrong_codes(self, address: Address, since: datetime) -> int:
        """Return how many wrong codes a number has sent since then."""

    async def answered(self, address: Address, since: datetime) -> bool:
        """Say whether anything was said back to this address since then."""

    async def order(self, reply: Reply, now: datetime) -> None:
        """Put the order to booking into the outbox."""

    async def keep(self, reply: Reply, now: datetime) -> None:
        """Keep the answer."""


class Replies(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[ReplyTransaction]:
        """Begin a transaction; commit it at the end of the block."""


async def answer(replies: Replies, incoming: Incoming, peppers: Peppers, now: datetime) -> Reply | None:
    """Do what a patient's answer asks for, once; None if it was kept before.

    An opt-out holds from the commit of this transaction on: the gate reads it in every claim after.
    """
    number = peppers.of(incoming.sender) if incoming.sender else None
    users = [key for user in incoming.user_ids for key in peppers.of_user(user)]
    async with replies.transaction() as work:
        if not await work.is_new(incoming.reply_id):
            return None
        address, known = await work.identify(number, users, now, await work.recipient(incoming))
        reply = await _act(work, incoming, address, now)
        if not known and reply.why is None:
            reply = replace(reply, why=Why.UNKNOWN_SENDER)
        await work.keep(reply, now)
    log.info(
        "reply.heard",
        reply_id=str(incoming.reply_id),
        channel=incoming.channel.value,
        meaning=reply.answer.meaning.value,
        verdict=reply.verdict,
        why=reply.why.value if reply.why else None,
        appointment_id=str(reply.visit.appointment_id) if reply.visit else None,
    )
    return reply


async def _act(work: ReplyTransaction, incoming: Incoming, address: Address, now: datetime) -> Reply:
    said = read(incoming.text[:LONGEST_TEXT], incoming.carrier_says)
    kept = Reply(incoming, address, said, "staff")
    if said.meaning is Meaning.STOP:
        await work.opt_out(address, str(incoming.reply_id), now)
        stopped = replace(kept, verdict="opted-out")
        why = Why.MAY_MEAN_VISIT if said.ambiguous else Why.SAID_MORE if said.said_more else None
        return replace(await _placed(work, stopped, now), why=why) if why else stopped
    if said.meaning is Meaning.START:
        if incoming.sent_at is not None and await work.stopped_later(address, incoming.sent_at):
            return replace(await _placed(work, kept, now), why=Why.STOPPED_LATER)
        await work.opt_in(address, str(incoming.reply_id), now)
        return replace(kept, verdict="opted-in")
    if said.meaning is Meaning.HELP:
        return await _help(work, kept, now)
    if said.meaning is Meaning.OTHER:
        return replace(await _placed(work, kept, now), why=Why.NOT_UNDERSTOOD)
    if said.code and await work.wrong_codes(address, now - AN_HOUR) >= WRONG_CODES_AN_HOUR:
        return replace(await _placed(work, kept, now), visit=None, why=Why.TOO_MANY_CODES)
    return await _order(work, kept, now)


async def _help(work: ReplyTransaction, reply: Reply, now: datetime) -> Reply:
    """Return an answer that asks who we are: it is told, if the carrier lets us and it was not a moment ago."""
    messaged = await work.messaged(reply.address, reply.incoming.channel)
    placed = replace(_among(messaged, reply, now), why=Why.ASKED_HELP)
    if not reply.incoming.can_be_answered or await work.answered(reply.address, now - ANSWERED_ONCE_IN):
        return placed
    return replace(placed, said_back=who_we_are(messaged, now))


async def _placed(work: ReplyTransaction, reply: Reply, now: datetime) -> Reply:
    """Return an answer for staff with the visit and the clinics that it may be meant for."""
    return _among(await work.messaged(reply.address, reply.incoming.channel), reply, now)


def _among(messaged: Sequence[Messaged], reply: Reply, now: datetime) -> Reply:
    return replace(reply, visit=about(messaged, now), clinics=concerned(messaged, now))


async def _order(work: ReplyTransaction, reply: Reply, now: datetime) -> Reply:
    """Order what an answer to confirm or cancel asks for, or leave it to staff."""
    messaged = await work.messaged(reply.address, reply.incoming.channel, reply.incoming.account)
    verdict: Verdict = resolve(reply.answer, messaged, now)
    found = replace(reply, visit=verdict.visit, why=verdict.why, clinics=concerned(messaged, now))
    if verdict.why:
        return found
    ordered = replace(found, verdict="ordered")
    await work.order(ordered, now)
    return ordered
