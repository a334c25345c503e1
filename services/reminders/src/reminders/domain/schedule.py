"""From one version of an appointment to its timers, and what to do when they are due."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from reminders.timers.row import Row, State, Timer
from schemas.appointments import Appointment
from schemas.planning import plan
from schemas.reminders import PlannedReminder, ReminderStatus

KEPT_AFTER_VISIT = timedelta(hours=72)
"""A late repeat of an event must find the row, or it would plan again."""

LAST_INSTANT = datetime(9999, 12, 28, tzinfo=UTC)
LARGEST_COUNT = 2**32 - 1


class Unplannable(ValueError):
    """An appointment for which no instant can be computed: it goes to the dead letters."""


@dataclass(frozen=True, slots=True)
class Planned:
    """An applied version: what is announced, and the row that is kept."""

    reminders: tuple[PlannedReminder, ...]
    row: Row


@dataclass(frozen=True, slots=True)
class Settled:
    """A row whose time has come.

    Attributes:
        row: With everything that was due marked.
        handed_over: The one timer that leaves, or None.
        too_late: Due while nobody looked, and past `not_after` (D15).
        superseded: Overdue together with a later one of the same visit, which leaves instead (D15).
    """

    row: Row
    handed_over: Timer | None
    too_late: tuple[Timer, ...]
    superseded: tuple[Timer, ...]


def apply(held: Row | None, appointment: Appointment) -> Planned:
    """Return what a version above the one held plans.

    A timer of the same generation that fired or was void stays so: one generation and rule is one
    reminder (G4). Timers of earlier generations are gone with their row.

    Raises:
        Unplannable: A date out of range, an unknown zone, or counts too large to keep.
    """
    if max(appointment.version, appointment.schedule_gen) > LARGEST_COUNT:
        raise Unplannable("version or schedule_gen is too large")
    try:
        reminders = plan(appointment)
        last = min(appointment.starts_at or appointment.event_time, LAST_INSTANT)
        keep_until = last + KEPT_AFTER_VISIT
    except (ArithmeticError, ValueError, KeyError) as error:
        raise Unplannable(f"no reminders can be planned: {type(error).__name__}") from None
    same = held if held is not None and held.generation == appointment.schedule_gen else None
    states = {timer.name: timer.state for timer in same.timers} if same else {}
    timers = tuple(_timer(reminder, states.get(reminder.rule, State.PENDING)) for reminder in reminders)
    context = _context(appointment.patient_id, appointment.clinic_id)
    return Planned(reminders, Row(appointment.version, appointment.schedule_gen, keep_until, context, timers))


def settle(row: Row, now: datetime) -> Settled:
    """Return what becomes of the row's timers that are due at `now` (D15)."""
    due = [timer for timer in row.timers if timer.state is State.PENDING and timer.due <= now]
    in_time = [timer for timer in due if now <= timer.not_after]
    leaving = max(in_time, key=lambda timer: (timer.due, timer.name), default=None)
    marks = {timer.name: State.FIRED if timer is leaving else State.VOID for timer in due}
    timers = tuple(replace(timer, state=marks.get(timer.name, timer.state)) for timer in row.timers)
    return Settled(
        replace(row, timers=timers),
        leaving,
        tuple(timer for timer in due if now > timer.not_after),
        tuple(timer for timer in in_time if timer is not leaving),
    )


def subject_of(row: Row) -> tuple[UUID, str]:
    """Return the patient and the clinic kept in the row's context."""
    return UUID(bytes=row.context[:16]), row.context[16:].decode()


def _context(patient_id: UUID, clinic_id: str) -> bytes:
    return patient_id.bytes + clinic_id.encode()


def _timer(reminder: PlannedReminder, held: State) -> Timer:
    if held is State.PENDING and reminder.status is not ReminderStatus.SCHEDULED:
        held = State.VOID
    return Timer(reminder.rule, reminder.due, reminder.not_after, held)
