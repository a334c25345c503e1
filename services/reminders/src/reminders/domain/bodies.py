"""The events of the topic `reminders`, as the worker words them."""

from base64 import b64encode
from uuid import UUID

from reminders.domain.schedule import Settled, subject_of
from reminders.timers.ports import Source
from reminders.timers.row import Row, Timer
from schemas.appointments import Appointment
from schemas.reminders import (
    PlannedReminder,
    Reason,
    ReminderDeadLetter,
    ReminderDue,
    RemindersPlanned,
    ReminderStatus,
)
from schemas.wire import event_id, reminder_id

LARGEST_CARRIED = 120_000
"""Bytes of a dead record that still fit, in base64, into one batch of the producer."""


def planned(appointment: Appointment, reminders: tuple[PlannedReminder, ...], caused_by: str) -> RemindersPlanned:
    """Return the plan of one applied version."""
    return RemindersPlanned(
        appointment_id=appointment.appointment_id,
        version=appointment.version,
        schedule_gen=appointment.schedule_gen,
        patient_id=appointment.patient_id,
        clinic_id=appointment.clinic_id,
        reminders=reminders,
        caused_by=caused_by,
    )


def correction(appointment_id: UUID, row: Row, settled: Settled) -> RemindersPlanned | None:
    """Return the plan's correction for timers that were due and will never leave, or None.

    It has the plan's version and lists only what it corrects: each CANCELLED, with TOO_LATE or
    SUPERSEDED (D15).
    """
    patient_id, clinic_id = subject_of(row)
    cancelled = [
        *(_cancelled(appointment_id, row, timer, Reason.TOO_LATE) for timer in settled.too_late),
        *(_cancelled(appointment_id, row, timer, Reason.SUPERSEDED) for timer in settled.superseded),
    ]
    if not cancelled:
        return None
    return RemindersPlanned(
        appointment_id=appointment_id,
        version=row.version,
        schedule_gen=row.generation,
        patient_id=patient_id,
        clinic_id=clinic_id,
        reminders=tuple(cancelled),
        caused_by=str(event_id(appointment_id, row.version)),
    )


def due(appointment_id: UUID, row: Row, timer: Timer) -> ReminderDue:
    """Return the hand-over of one reminder. The same reminder always gets the same id."""
    return ReminderDue(
        reminder_id=reminder_id(appointment_id, row.generation, timer.name),
        appointment_id=appointment_id,
        version=row.version,
        schedule_gen=row.generation,
        rule=timer.name,
        due=timer.due,
        not_after=timer.not_after,
        caused_by=str(event_id(appointment_id, row.version)),
    )


def dead_letter(source: Source, code: str, message: str) -> ReminderDeadLetter:
    """Return a record that cannot be taken, whole, with its position and the reason (G8).

    One too large to be carried inside another is left where it is: `appointments` is kept for ever.
    """
    carried = sum(len(part or b"") for part in (source.key, source.value, *dict(source.headers).values()))
    if carried > LARGEST_CARRIED:
        return ReminderDeadLetter(
            topic=source.topic,
            partition=source.partition,
            offset=source.offset,
            code=code,
            message=f"{message} ({carried} bytes: read them at this position)",
        )
    return ReminderDeadLetter(
        topic=source.topic,
        partition=source.partition,
        offset=source.offset,
        code=code,
        message=message,
        key=None if source.key is None else b64encode(source.key).decode(),
        value=None if source.value is None else b64encode(source.value).decode(),
        headers={name: b64encode(value).decode() for name, value in source.headers},
    )


def _cancelled(appointment_id: UUID, row: Row, timer: Timer, reason: Reason) -> PlannedReminder:
    return PlannedReminder(
        reminder_id=reminder_id(appointment_id, row.generation, timer.name),
        rule=timer.name,
        due=timer.due,
        not_after=timer.not_after,
        status=ReminderStatus.CANCELLED,
        reason=reason,
    )
