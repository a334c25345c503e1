"""Planning as a pure function of one event: `plan(snapshot) → reminders` (design §2).

Shared by the reminders worker and booking's dry run, so that both always agree. Whole numbers that stand for time are
microseconds (`schemas.instants`).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from schemas.appointments import SENDABLE, Appointment, Bar, Status
from schemas.hours import Hours, hours_of
from schemas.instants import HOUR, instant, micros
from schemas.reminders import PlannedReminder, Reason, ReminderStatus
from schemas.wire import reminder_id
from schemas.zones import zone_of

LEAD_PARTS = 4
LEFT_OF_LEAD = 1 / LEAD_PARTS
"""A reminder may leave until a quarter of its lead time is left (D15)."""

MERGED_WITHIN = 6 * HOUR
"""A reminder that the clinic's hours move so near to another one says nothing new, be it before or after it (D16)."""


class Rule(Protocol):
    """A rule as an event carries it; `appointments.ReminderRule` is one."""

    @property
    def slug(self) -> str:
        """Name, never reused."""

    @property
    def lead_hours(self) -> int | None:
        """Elapsed hours (D12)."""

    @property
    def lead_days(self) -> int | None:
        """Days of the wall clock (D12)."""

    @property
    def in_force_since(self) -> datetime:
        """When it was set, aware."""


class Lead(NamedTuple):
    """A rule in numbers, made once for all visits that share it.

    Attributes:
        elapsed: How long before the visit, in elapsed microseconds, or None:
        days: by how many days of the wall clock.
    """

    slug: str
    elapsed: int | None
    days: int
    since: int


class Slot(NamedTuple):
    """One rule's moment for one schedule.

    Attributes:
        rule: Its slug.
        due: When it leaves: by its rule, or earlier if the clinic's hours are closed then (D16).
        not_after: After this instant it no longer may; by its rule, whatever the hours (D15).
    """

    rule: str
    due: int
    not_after: int
    reason: Reason | None


def lead_of(rule: Rule) -> Lead:
    """Return a rule in numbers."""
    elapsed = None if rule.lead_hours is None else rule.lead_hours * HOUR
    return Lead(rule.slug, elapsed, rule.lead_days or 0, micros(rule.in_force_since))


def due_at(start: int, zone: str, lead: Lead) -> int:
    """Return when the rule's reminder leaves.

    Hours are elapsed time; days are wall-clock time in the clinic's zone, where a local time that
    does not exist moves forward by the gap and an ambiguous one is the first (D12).
    """
    if lead.elapsed is not None:
        return start - lead.elapsed
    there = zone_of(zone)
    local = instant(start).astimezone(there).replace(tzinfo=None)
    return micros((local - timedelta(days=lead.days)).replace(tzinfo=there, fold=0))


def slots(
    start: int, zone: str, leads: Iterable[Lead], set_at: int, barred: Reason | None, hours: Hours | None
) -> list[Slot]:
    """Return the moment of every rule, in the rules' order: what `plan` is made of.

    Args:
        hours: The clinic's (D16); None if any hour will do.
    """
    found: list[Slot] = []
    moved: set[int] = set()
    for lead in leads:
        due = nominal = due_at(start, zone, lead) if lead.elapsed is None else start - lead.elapsed
        since = max(set_at, lead.since)
        reason = barred or (Reason.DUE_IN_PAST if due <= since else None)
        if hours is not None and not hours.are_open(due, zone):
            earlier = hours.before(due, start, zone)
            if earlier is not None and earlier > since:
                due = earlier
                moved.add(len(found))
            else:
                reason = reason or Reason.QUIET_HOURS
        found.append(Slot(lead.slug, due, start - (start - nominal) // LEAD_PARTS, reason))
    return _merged(found, moved) if moved else found


def _merged(found: list[Slot], moved: set[int]) -> list[Slot]:
    """Return the slots without those that were moved to within 6 h of another one (D16).

    One that stays where its rule has it goes before one that was moved; of several moved the one with the longest lead
    stays.
    """
    kept = [slot.due for number, slot in enumerate(found) if slot.reason is None and number not in moved]
    for number in sorted(moved, key=lambda number: (found[number].not_after, found[number].rule)):
        slot = found[number]
        if slot.reason is not None:
            continue
        if any(abs(slot.due - other) <= MERGED_WITHIN for other in kept):
            found[number] = slot._replace(reason=Reason.SUPERSEDED)
        else:
            kept.append(slot.due)
    return found


def plan(appointment: Appointment) -> tuple[PlannedReminder, ...]:
    """Return every reminder of this version's schedule, soonest first.

    One per rule. Those that will never leave are born cancelled with their reason: the visit may not
    be reminded (D11, R14), or its patient (D44), the moment was past when the schedule or the rule was set, the
    later of the two (D14), or the clinic's hours leave no moment (D16). Without a start there is nothing to remind.
    """
    if appointment.starts_at is None:
        return ()
    barred = reason_not_to_remind(appointment.status, appointment.barred)
    leads = map(lead_of, appointment.policy.rules)
    set_at, hours = micros(appointment.schedule_set_at), hours_of(appointment.policy.window)
    found = slots(micros(appointment.starts_at), appointment.zone, leads, set_at, barred, hours)
    planned = (_reminder(appointment, slot) for slot in found)
    return tuple(sorted(planned, key=lambda reminder: (reminder.due, reminder.rule)))


def barred_by(*, deceased: bool, do_not_contact: bool, consent: bool) -> Bar | None:
    """Return why no message may go to a patient of whom this is known, or None if one may (D44)."""
    if deceased:
        return Bar.DECEASED
    if do_not_contact:
        return Bar.DO_NOT_CONTACT
    return None if consent else Bar.NO_CONSENT


def reason_not_to_remind(status: Status, barred: Bar | None) -> Reason | None:
    """Return why no reminder of an appointment may leave, or None: its status (D11), then its patient (D44)."""
    if status in SENDABLE:
        return None if barred is None else Reason(barred)
    if status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}:
        return Reason.APPOINTMENT_CANCELLED
    return Reason.NOT_SENDABLE


def _reminder(appointment: Appointment, slot: Slot) -> PlannedReminder:
    return PlannedReminder(
        reminder_id=reminder_id(appointment.appointment_id, appointment.schedule_gen, slot.rule),
        rule=slot.rule,
        due=instant(slot.due),
        not_after=instant(slot.not_after),
        status=ReminderStatus.CANCELLED if slot.reason else ReminderStatus.SCHEDULED,
        reason=slot.reason,
    )
