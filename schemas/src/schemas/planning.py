"""Planning as a pure function of one event: `plan(snapshot) → reminders` (design §2).

Shared by the reminders worker and booking's dry run, so that both always agree.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.appointments import SENDABLE, Appointment, ReminderRule, Status
from schemas.reminders import PlannedReminder, Reason, ReminderStatus
from schemas.wire import reminder_id

LEFT_OF_LEAD = 0.25
"""A reminder may leave until a quarter of its lead time is left (D15)."""


def due_at(starts_at: datetime, zone: str, rule: ReminderRule) -> datetime:
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
    barred = reason_not_to_remind(appointment)
    planned = [_reminder(appointment, appointment.starts_at, rule, barred) for rule in appointment.policy.rules]
    return tuple(sorted(planned, key=lambda reminder: (reminder.due, reminder.rule)))


def reason_not_to_remind(appointment: Appointment) -> Reason | None:
    """Return why no reminder of this appointment may leave, or None if they may (D11)."""
    if appointment.status in SENDABLE:
        return None
    if appointment.status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}:
        return Reason.APPOINTMENT_CANCELLED
    return Reason.NOT_SENDABLE


def next_due(reminders: Sequence[PlannedReminder]) -> datetime | None:
    """Return the soonest due instant among scheduled reminders, or None."""
    return min((r.due for r in reminders if r.status is ReminderStatus.SCHEDULED), default=None)


def _reminder(
    appointment: Appointment, starts_at: datetime, rule: ReminderRule, barred: Reason | None
) -> PlannedReminder:
    due = due_at(starts_at, appointment.zone, rule)
    past = due <= max(appointment.schedule_set_at, rule.in_force_since)
    reason = barred or (Reason.DUE_IN_PAST if past else None)
    return PlannedReminder(
        reminder_id=reminder_id(appointment.appointment_id, appointment.schedule_gen, rule.slug),
        rule=rule.slug,
        due=due,
        not_after=starts_at - (starts_at - due) * LEFT_OF_LEAD,
        status=ReminderStatus.CANCELLED if reason else ReminderStatus.SCHEDULED,
        reason=reason,
    )
