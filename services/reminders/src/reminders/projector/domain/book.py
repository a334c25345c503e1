"""The reminder records of one appointment, folded from what the worker and the notifier said (R11, R13, R14).

Every event may come again, and the two topics may overtake each other: the result is the same.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from schemas.notifications import DeliveryState, NotificationChanged, Outcome
from schemas.planning import LEFT_OF_LEAD
from schemas.reminders import (
    PlannedReminder,
    Reason,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
    ReminderStatus,
)

_RANK = {
    ReminderStatus.SCHEDULED: 0,
    ReminderStatus.CANCELLED: 1,
    ReminderStatus.FAILED: 2,
    ReminderStatus.SENT: 3,
}
"""SCHEDULED < CANCELLED < FAILED < SENT (R13, design §5)."""


def rises(held: ReminderStatus, arriving: ReminderStatus) -> bool:
    """Return whether `arriving` is above `held`: only then is anything changed."""
    return _RANK[arriving] > _RANK[held]


_EVIDENCE = {state.value: rank for rank, state in enumerate(DeliveryState)}


def further(held: str | None, arriving: DeliveryState) -> str:
    """Return the stronger evidence of the two: unknown < undelivered < delivered < read (D17).

    Args:
        held: A delivery state, or None before any carrier took the message.
    """
    return held if held is not None and _EVIDENCE[held] >= _EVIDENCE[arriving.value] else arriving.value


CLOSED_AFTER_VISIT = timedelta(hours=72)
"""By then every reminder has a final outcome (G7)."""

_SCHEDULED = ReminderStatus.SCHEDULED

_STATUS_OF = {
    Outcome.ACCEPTED: ReminderStatus.SENT,
    Outcome.FAILED: ReminderStatus.FAILED,
    Outcome.SKIPPED: ReminderStatus.CANCELLED,
    Outcome.UNKNOWN: ReminderStatus.SCHEDULED,  # until it is settled
}


class Reminder(NamedTuple):
    """One reminder record. A tuple, as millions are made and compared: its fields are the columns of the store.

    Attributes:
        version: Of the newest plan that lists it; 0: only its hand-over or outcome came so far.
    """

    reminder_id: UUID
    appointment_id: UUID
    schedule_gen: int
    version: int = 0
    status: ReminderStatus = ReminderStatus.SCHEDULED
    reason: Reason | None = None
    rule: str | None = None
    patient_id: UUID | None = None
    clinic_id: str | None = None
    scheduled_for: datetime | None = None
    not_after: datetime | None = None
    closes_at: datetime | None = None
    handed_over_at: datetime | None = None
    sent_at: datetime | None = None
    notification_id: UUID | None = None
    delivery_state: str | None = None
    changed_at: datetime | None = None
    caused_by: str = ""


@dataclass(slots=True)
class Book:
    """All reminder records of one appointment, and the newest plan they have seen.

    Attributes:
        changed: Id → the record as it was when the book was opened (None: not there), for those changed since.
    """

    appointment_id: UUID
    version: int = 0
    schedule_gen: int = 0
    reminders: dict[UUID, Reminder] = field(default_factory=dict)
    changed: dict[UUID, Reminder | None] = field(default_factory=dict)
    changes: int = 0

    def put(self, reminder: Reminder, at: datetime, caused_by: str) -> bool:
        """Keep a record if it differs from the one held; say whether it did."""
        reminder_id = reminder.reminder_id
        held = self.reminders.get(reminder_id)
        if held == reminder:
            return False
        self.changed.setdefault(reminder_id, held)
        self.reminders[reminder_id] = reminder._replace(changed_at=at, caused_by=caused_by)
        self.changes += 1
        return True


def on_planned(book: Book, plan: RemindersPlanned, at: datetime, event_id: str) -> list[Reminder]:
    """Take a plan: new records, born SCHEDULED or CANCELLED with their reason (D14).

    The newest plan says what waits: a record it calls SCHEDULED is so again, unless it was handed over. What an older
    plan listed, and the newest does not, is cancelled if it was not handed over:
    RESCHEDULED when its schedule is past (D10), SUPERSEDED when its rule went.

    Returns:
        The records this plan cancelled that were scheduled before (R14 counts them).
    """
    cancelled: list[Reminder] = []
    book.version = max(book.version, plan.version)
    book.schedule_gen = max(book.schedule_gen, plan.schedule_gen)
    for listed in plan.reminders:
        held = book.reminders.get(listed.reminder_id)
        reminder = _listed(held, plan, listed)
        if book.put(reminder, at, event_id) and held is not None and _cancels(held, reminder):
            cancelled.append(reminder)
    for held in list(book.reminders.values()):
        if 0 < held.version < book.version and held.handed_over_at is None and held.status is ReminderStatus.SCHEDULED:
            reason = Reason.RESCHEDULED if held.schedule_gen < book.schedule_gen else Reason.SUPERSEDED
            swept = held._replace(status=ReminderStatus.CANCELLED, reason=reason)
            if book.put(swept, at, event_id):
                cancelled.append(swept)
    return cancelled


def on_cancelled(book: Book, told: RemindersCancelled, at: datetime, event_id: str) -> list[Reminder]:
    """Take a correction (D15): what it lists came due and will never leave; every other record stays as it is.

    It may come before the plan that lists them: the plan then only fills in what it knows better.

    Returns:
        The records it cancelled that were scheduled before (R14 counts them).
    """
    cancelled: list[Reminder] = []
    for listed in told.reminders:
        held = book.reminders.get(listed.reminder_id)
        known = held or Reminder(listed.reminder_id, told.appointment_id, told.schedule_gen)
        reminder = _timed(known, listed, told.starts_at)
        if reminder.handed_over_at is None and rises(reminder.status, listed.status):
            reminder = reminder._replace(status=listed.status, reason=listed.reason)
        if book.put(reminder, at, event_id) and held is not None and _cancels(held, reminder):
            cancelled.append(reminder)
    return cancelled


def on_due(book: Book, due: ReminderDue, at: datetime, event_id: str) -> None:
    """Take a hand-over: from now on only the notifier's outcome is final."""
    held = book.reminders.get(due.reminder_id) or Reminder(due.reminder_id, due.appointment_id, due.schedule_gen)
    timed = _timed(held, due, due.starts_at)
    book.put(timed._replace(handed_over_at=min(held.handed_over_at or at, at)), at, event_id)


def on_outcome(book: Book, told: NotificationChanged, reminder_id: UUID, event_id: str) -> None:
    """Take what became of a reminder's message (R25, D17): status and delivery state only ever rise.

    An unknown outcome leaves it SCHEDULED with the link to its message. A first reason stays.
    """
    held = book.reminders.get(reminder_id) or Reminder(reminder_id, told.appointment_id, told.schedule_gen)
    status = _STATUS_OF[told.outcome]
    reminder = held._replace(notification_id=held.notification_id or told.notification_id)
    if rises(held.status, status):
        reminder = reminder._replace(
            status=status,
            reason=told.reason,
            notification_id=told.notification_id,
            sent_at=told.at if status is ReminderStatus.SENT else None,
        )
    if told.outcome is Outcome.ACCEPTED or told.delivery_state is not DeliveryState.UNKNOWN:
        reminder = reminder._replace(delivery_state=further(held.delivery_state, told.delivery_state))
    book.put(reminder, told.at, event_id)


def closes_at(starts_at: datetime | None, due: datetime, not_after: datetime) -> datetime | None:
    """Return 72 h after the visit.

    Where an event of an earlier release does not name its start, it is as far behind `due` as `not_after` tells (D15);
    where the hours moved `due` (D16), that is up to four hours too late.
    """
    try:
        return (starts_at or due + (not_after - due) / (1 - LEFT_OF_LEAD)) + CLOSED_AFTER_VISIT
    except OverflowError:
        return None


def _timed(held: Reminder, told: PlannedReminder | ReminderDue, starts_at: datetime | None) -> Reminder:
    """Fill in what no plan has told yet."""
    if held.closes_at is not None:
        return held
    return held._replace(
        rule=held.rule or told.rule,
        scheduled_for=held.scheduled_for or told.due,
        not_after=held.not_after or told.not_after,
        closes_at=closes_at(starts_at, told.due, told.not_after),
    )


def _listed(held: Reminder | None, plan: RemindersPlanned, listed: PlannedReminder) -> Reminder:
    version, planned = plan.version, listed.status
    if held is None or held.version <= version:
        known = held or Reminder(listed.reminder_id, plan.appointment_id, plan.schedule_gen)
        is_out = known.handed_over_at is not None or known.notification_id is not None
        is_back = planned is _SCHEDULED and 0 < known.version < version
        takes = not is_out and (is_back or rises(known.status, planned))
        return known._replace(
            version=version,
            rule=listed.rule,
            patient_id=plan.patient_id,
            clinic_id=plan.clinic_id,
            scheduled_for=listed.due,
            not_after=listed.not_after,
            closes_at=closes_at(plan.starts_at, listed.due, listed.not_after),
            status=planned if takes else known.status,
            reason=listed.reason if takes else known.reason,
        )
    return held


def _cancels(held: Reminder, reminder: Reminder) -> bool:
    return held.status is ReminderStatus.SCHEDULED and reminder.status is ReminderStatus.CANCELLED
