"""Planning as a pure function of one event: `plan(snapshot) → reminders` (design §2).

Shared by the reminders worker and booking's dry run, so that both always agree.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from schemas.appointments import SENDABLE, Appointment, Status
from schemas.reminders import PlannedReminder, Reason, ReminderStatus
from schemas.wire import reminder_id

LEFT_OF_LEAD = 0.25
"""A reminder may leave until a quarter of its lead time is left (D15)."""


class Lead(Protocol):
    """How long before the visit: exactly one of the two (D12)."""

    @property
    def lead_hours(self) -> int | None:
        """Elapsed hours."""
        ...

    @property
    def lead_days(self) -> int | None:
        """Days of the wall clock."""
        ...


class Rule(Lead, Protocol):
    """A rule as planning sees it; `appointments.ReminderRule` is one."""

    @property
    def slug(self) -> str:
        """Name, never reused."""
        ...

    @property
    def in_force_since(self) -> datetime:
        """When it was set, aware."""
        ...


class Slot(NamedTuple):
    """One rule's moment for one schedule.

    Attributes:
        rule: Its slug.
        due: When it leaves, aware.
        not_after: After this instant it no longer may (D15).
        reason: Why it never will, or None.
    """

    rule: str
    due: datetime
    not_after: datetime
    reason: Reason | None


def due_at(starts_at: datetime, zone: str, rule: Lead) -> datetime:
    """Return when the rule's reminder leaves, in UTC.

    Hours are elapsed time; days are wall-clock time in the clinic's zone, where a local time that
    does not exist moves forward by the gap and an ambiguous one is the first (D12).
    """
    if rule.lead_hours is not None:
        return starts_at - timedelta(hours=rule.lead_hours)
    local = starts_at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    return (local - timedelta(days=rule.lead_days or 0)).replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def plan(appointment: Appointment) -> tuple[PlannedReminder, ...]:
    """Return every reminder of this version's schedule, soonest first.

    One per rule. Those that will never leave are born cancelled with their reason: the visit may not
    be reminded (D11, R14), or the moment was past when the schedule or the rule was set, the later of
    the two (D14). Without a start there is nothing to remind.
    """
    if appointment.starts_at is None:
        return ()
    barred = reason_not_to_remind(appointment.status)
    found = slots(
        appointment.starts_at, appointment.zone, appointment.policy.rules, appointment.schedule_set_at, barred
    )
    planned = (_reminder(appointment, slot) for slot in found)
    return tuple(sorted(planned, key=lambda reminder: (reminder.due, reminder.rule)))


def slots(
    starts_at: datetime, zone: str, rules: Iterable[Rule], schedule_set_at: datetime, barred: Reason | None
) -> list[Slot]:
    """Return the moment of every rule, in the rules' order: what `plan` is made of.

    Args:
        starts_at: Of the visit, aware.
        zone: The clinic's IANA zone.
        rules: In force.
        schedule_set_at: When this schedule began.
        barred: Why nothing of it may leave, if so.
    """
    found = []
    for rule in rules:
        due = due_at(starts_at, zone, rule)
        past = due <= schedule_set_at or due <= rule.in_force_since
        reason = barred or (Reason.DUE_IN_PAST if past else None)
        found.append(Slot(rule.slug, due, starts_at - (starts_at - due) * LEFT_OF_LEAD, reason))
    return found


def reason_not_to_remind(status: Status) -> Reason | None:
    """Return why no reminder of an appointment of this status may leave, or None if they may (D11)."""
    if status in SENDABLE:
        return None
    if status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}:
        return Reason.APPOINTMENT_CANCELLED
    return Reason.NOT_SENDABLE


def next_due(reminders: Sequence[PlannedReminder]) -> datetime | None:
    """Return the soonest due instant among scheduled reminders, or None."""
    return min((r.due for r in reminders if r.status is ReminderStatus.SCHEDULED), default=None)


def _reminder(appointment: Appointment, slot: Slot) -> PlannedReminder:
    return PlannedReminder(
        reminder_id=reminder_id(appointment.appointment_id, appointment.schedule_gen, slot.rule),
        rule=slot.rule,
        due=slot.due,
        not_after=slot.not_after,
        status=ReminderStatus.CANCELLED if slot.reason else ReminderStatus.SCHEDULED,
        reason=slot.reason,
    )
