"""What carriers report: kept once, then applied under the message's lock, in the same transaction (G6)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from chassis.postgres.after_commit import after_commit
from chassis.process.errors import Unavailable
from notifier.ledger.domain.notification import Notification
from notifier.opt_outs.domain.refusals import is_opt_out
from notifier.receipts.domain import Effect, Made, Receipt, apply, further
from schemas.notifications import Channel, DeliveryState

log: structlog.stdlib.BoundLogger = structlog.get_logger()

WAITS_FOR = timedelta(days=3)
"""How long a report waits for its attempt to become known. The reference comes with our own reply, seconds later."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A report with the number it is kept under."""

    receipt_id: int
    report: Receipt


@dataclass(frozen=True, slots=True)
class Noted:
    """What became of a kept report."""

    receipt_id: int
    made: Made
    changed: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """An attempt that is further on."""

    attempt_id: UUID
    delivery_state: DeliveryState
    reference: str | None
    accepted: bool = True


@dataclass(frozen=True, slots=True)
class Heard:
    """What a callback came to.

    Attributes:
        new: Reports kept; the others were repeats.
    """

    new: int
    applied: int
    told: tuple[Notification, ...]


class ReceiptTransaction(Protocol):
    """Receipts and the ledger inside one READ COMMITTED transaction."""

    async def keep(self, reports: Sequence[Receipt], now: datetime) -> Sequence[Kept]:
        """Keep each report once; return those that are new."""

    async def waiting(self, limit: int, since: datetime) -> Sequence[Kept]:
        """Return reports kept since then whose attempt was unknown and is known now; lock them."""

    async def lock(self, reports: Sequence[Kept]) -> Mapping[UUID, Notification]:
        """Lock the messages of the attempts that these reports name, in the order of their ids."""

    async def made(self, reports: Sequence[Kept]) -> Mapping[int, Sequence[Made]]:
        """Return receipt id → the attempt it is about, read after the lock; unknown ones are absent.

        With it those that the same call was made for, after it.
        """

    async def move(self, attempts: Sequence[Moved]) -> None:
        """Write how far attempts are; one that is `accepted` is so, unless another of its message and channel is."""

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these messages back."""

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Put these outcomes into the outbox."""

    async def note(self, noted: Sequence[Noted], now: datetime) -> None:
        """Write down which attempt each report was applied to."""

    async def link(self, users: Sequence[tuple[str, UUID]], now: datetime) -> None:
        """Keep which number a WhatsApp user has: that of the attempt whose report names him."""

    async def stop(self, attempts: Sequence[UUID], now: datetime) -> None:
        """Stop all messages to the numbers that these attempts went to, unless they began again since."""

    async def give_up(self, receipt_id: int, trouble: str, now: datetime) -> None:
        """Write down that a report cannot be applied, and why; it waits no more."""


class Receipts(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[ReceiptTransaction]:
        """Begin a transaction; commit it at the end of the block."""


async def hear(receipts: Receipts, reports: Sequence[Receipt], now: datetime) -> Heard:
    """Keep the reports of one callback and apply them; when this returns they are durable.

    A repeat of one that was kept before changes nothing, and is answered like the first.
    """
    async with receipts.transaction() as work:
        kept = await work.keep(reports, now)
        return await _apply(work, kept, now) if kept else Heard(0, 0, ())


async def match_waiting(receipts: Receipts, limit: int, now: datetime) -> Heard:
    """Apply reports that came before their attempt's reference was known.

    If that fails, each is applied alone, and one that fails alone is given up: it would stand before all others.
    """
    try:
        return await _match(receipts, limit, now)
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  # whatever a report raises is that report's
        log.warning("receipts.one_by_one", error=type(error).__name__)
    new, applied, told = 0, 0, list[Notification]()
    for _ in range(limit):
        heard = await _match_one(receipts, now)
        if heard is None:
            break
        new, applied, told = new + heard.new, applied + heard.applied, [*told, *heard.told]
    return Heard(new, applied, tuple(told))


async def _match(receipts: Receipts, limit: int, now: datetime) -> Heard:
    async with receipts.transaction() as work:
        kept = await work.waiting(limit, now - WAITS_FOR)
        return await _apply(work, kept, now) if kept else Heard(0, 0, ())


async def _match_one(receipts: Receipts, now: datetime) -> Heard | None:
    """Apply the first waiting report, or give it up; None if there is none."""
    first: Sequence[Kept] = ()
    try:
        async with receipts.transaction() as work:
            first = await work.waiting(1, now - WAITS_FOR)
            return await _apply(work, first, now) if first else None
    except Unavailable:
        raise
    except Exception as error:
        if not first:
            raise
        trouble = type(error).__name__
    async with receipts.transaction() as work:
        await work.give_up(first[0].receipt_id, trouble, now)
    log.error("receipts.given_up", receipt_id=first[0].receipt_id, error=trouble)
    return Heard(1, 0, ())


async def _apply(work: ReceiptTransaction, kept: Sequence[Kept], now: datetime) -> Heard:
    held = dict(await work.lock(kept))
    made = dict(await work.made(kept))
    moved: dict[UUID, Moved] = {}
    accepting: dict[tuple[UUID, Channel], UUID] = {}
    told: list[tuple[Notification, Notification]] = []
    noted: list[Noted] = []
    for one, attempt in _told_by(kept, made):
        message = held.get(attempt.notification_id)
        if message is None:
            continue
        attempt = _as_moved(attempt, moved)
        effect = apply(message, attempt, one.report, now)
        moved[attempt.attempt_id] = _moved(attempt, one.report, effect, moved)
        if effect.told and effect.kept:
            held[message.notification_id] = effect.kept
            told.append((effect.told, effect.kept))
        by_it = held[message.notification_id].attempt_id == attempt.attempt_id
        place = (message.notification_id, attempt.channel)
        accepting[place] = attempt.attempt_id if by_it else accepting.get(place, attempt.attempt_id)
        if attempt.is_lead:
            changed = effect.told is not None or effect.attempt is not None
            noted.append(Noted(one.receipt_id, attempt, changed=changed))
    chosen = set(accepting.values())
    await work.move([replace(one, accepted=one.attempt_id in chosen) for one in moved.values()])
    await work.write(_newest(kept for _, kept in told), now)
    await work.publish([outcome for outcome, _ in told], now)
    await work.note(noted, now)
    by_receipt = {one.receipt_id: one.made.attempt_id for one in noted}
    known = [(one, by_receipt[one.receipt_id]) for one in kept if one.receipt_id in by_receipt]
    await work.link([(user, attempt_id) for one, attempt_id in known for user in one.report.user_ids], now)
    await work.stop([attempt_id for one, attempt_id in known if is_opt_out(one.report.code)], now)
    _log(kept, noted)
    return Heard(len(kept), len(noted), tuple(kept for _, kept in told))


def _told_by(kept: Sequence[Kept], made: Mapping[int, Sequence[Made]]) -> Iterator[tuple[Kept, Made]]:
    """Give each report with each attempt that it is about, in the order in which they were kept."""
    for one in sorted(kept, key=lambda each: each.receipt_id):
        for attempt in made.get(one.receipt_id, ()):
            yield one, attempt


def _as_moved(attempt: Made, moved: Mapping[UUID, Moved]) -> Made:
    """Return the attempt as the reports before this one left it."""
    before = moved.get(attempt.attempt_id)
    return replace(attempt, delivery_state=before.delivery_state) if before else attempt


def _moved(attempt: Made, report: Receipt, effect: Effect, moved: Mapping[UUID, Moved]) -> Moved:
    before = moved.get(attempt.attempt_id)
    reference = (report.reference or (before.reference if before else None)) if attempt.is_lead else None
    state = further(attempt.delivery_state, effect.attempt or attempt.delivery_state)
    return Moved(attempt.attempt_id, state, reference)


def _newest(written: Iterable[Notification]) -> list[Notification]:
    """Return the last state of each message."""
    return list({one.notification_id: one for one in written}.values())


def _log(kept: Sequence[Kept], noted: Sequence[Noted]) -> None:
    known = {one.receipt_id for one in noted}
    strangers = [one for one in kept if one.receipt_id not in known]
    after_commit(
        log.info,
        "receipts.heard",
        count=len(kept),
        changed=sum(one.changed for one in noted),
        notification_ids=sorted({str(one.made.notification_id) for one in noted})[:20],
    )
    if strangers:
        ids = [one.receipt_id for one in strangers[:20]]
        after_commit(log.warning, "receipts.unmatched", count=len(strangers), receipt_ids=ids)
