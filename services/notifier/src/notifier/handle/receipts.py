"""What carriers report: kept once, then applied under the message's lock, in the same transaction (G6)."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import structlog

from notifier.domain.ledger import Notification
from notifier.domain.receipts import Effect, Made, Receipt, apply, further
from notifier.domain.states import State
from schemas.notifications import DeliveryState

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
    """What became of a kept report.

    Attributes:
        changed: Whether it moved its message or its attempt on.
    """

    receipt_id: int
    made: Made
    changed: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """An attempt that is further on.

    Attributes:
        accepted: The report proves that the carrier had taken it.
        reference: The carrier's own id, if the report gives it.
    """

    attempt_id: UUID
    delivery_state: DeliveryState
    reference: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a callback came to.

    Attributes:
        new: Reports kept; the others were repeats.
        applied: Of those, whose attempt is known.
        told: Messages that the world hears of.
    """

    new: int
    applied: int
    told: tuple[Notification, ...]

    @property
    def reopened(self) -> bool:
        """Whether a message waits for its next step."""
        return any(one.state is State.QUEUED for one in self.told)


class ReceiptTransaction(Protocol):
    """Receipts and the ledger inside one READ COMMITTED transaction."""

    async def keep(self, reports: Sequence[Receipt], now: datetime) -> Sequence[Kept]:
        """Keep each report once; return those that are new."""

    async def waiting(self, limit: int, since: datetime) -> Sequence[Kept]:
        """Return reports kept since then whose attempt was unknown and is known now; lock them."""

    async def lock(self, reports: Sequence[Kept]) -> Mapping[UUID, Notification]:
        """Lock the messages of the attempts that these reports name, in the order of their ids."""

    async def made(self, reports: Sequence[Kept]) -> Mapping[int, Made]:
        """Return receipt id → the attempt it is about, read after the lock; unknown ones are absent."""

    async def move(self, attempts: Sequence[Moved]) -> None:
        """Write how far attempts are; one whose answer is unknown was accepted."""

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Write these messages back."""

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """Put these outcomes into the outbox."""

    async def note(self, noted: Sequence[Noted], now: datetime) -> None:
        """Write down which attempt each report was applied to."""


class Receipts(Protocol):
    """Where transactions come from."""

    def transaction(self) -> AbstractAsyncContextManager[ReceiptTransaction]:
        """Begin a transaction; commit it at the end of the block.

        Raises:
            Unavailable: The database cannot be used now; nothing was written.
        """


async def hear(receipts: Receipts, reports: Sequence[Receipt], now: datetime) -> Heard:
    """Keep the reports of one callback and apply them; when this returns they are durable.

    A repeat of one that was kept before changes nothing, and is answered like the first.
    """
    async with receipts.transaction() as work:
        kept = await work.keep(reports, now)
        return await _apply(work, kept, now) if kept else Heard(0, 0, ())


async def match_waiting(receipts: Receipts, limit: int, now: datetime) -> Heard:
    """Apply reports that came before their attempt's reference was known."""
    async with receipts.transaction() as work:
        kept = await work.waiting(limit, now - WAITS_FOR)
        return await _apply(work, kept, now) if kept else Heard(0, 0, ())


async def _apply(work: ReceiptTransaction, kept: Sequence[Kept], now: datetime) -> Heard:
    held = dict(await work.lock(kept))
    made = dict(await work.made(kept))
    moved: dict[UUID, Moved] = {}
    told: list[tuple[Notification, Notification]] = []
    noted: list[Noted] = []
    for one in sorted(kept, key=lambda each: each.receipt_id):
        attempt = made.get(one.receipt_id)
        message = held.get(attempt.notification_id) if attempt else None
        if attempt is None or message is None:
            continue
        attempt = _as_moved(attempt, moved)
        effect = apply(message, attempt, one.report, now)
        moved[attempt.attempt_id] = _moved(attempt, one.report, effect, moved)
        if effect.told and effect.kept:
            held[message.notification_id] = effect.kept
            told.append((effect.told, effect.kept))
        noted.append(Noted(one.receipt_id, attempt, changed=effect.told is not None or effect.attempt is not None))
    await work.move(list(moved.values()))
    await work.write(_newest(kept for _, kept in told), now)
    await work.publish([outcome for outcome, _ in told], now)
    await work.note(noted, now)
    _log(kept, noted)
    return Heard(len(kept), len(noted), tuple(kept for _, kept in told))


def _as_moved(attempt: Made, moved: Mapping[UUID, Moved]) -> Made:
    """Return the attempt as the reports before this one left it."""
    before = moved.get(attempt.attempt_id)
    return replace(attempt, delivery_state=before.delivery_state) if before else attempt


def _moved(attempt: Made, report: Receipt, effect: Effect, moved: Mapping[UUID, Moved]) -> Moved:
    before = moved.get(attempt.attempt_id)
    reference = report.reference or (before.reference if before else None)
    return Moved(
        attempt.attempt_id, further(attempt.delivery_state, effect.attempt or attempt.delivery_state), reference
    )


def _newest(written: Iterable[Notification]) -> list[Notification]:
    """Return the last state of each message."""
    return list({one.notification_id: one for one in written}.values())


def _log(kept: Sequence[Kept], noted: Sequence[Noted]) -> None:
    known = {one.receipt_id for one in noted}
    strangers = [one for one in kept if one.receipt_id not in known]
    log.info(
        "receipts.heard",
        count=len(kept),
        changed=sum(one.changed for one in noted),
        notification_ids=sorted({str(one.made.notification_id) for one in noted})[:20],
    )
    if strangers:
        log.warning("receipts.unmatched", count=len(strangers), receipt_ids=[one.receipt_id for one in strangers[:20]])
