"""Between the worker's story and Kafka records."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from reminders.timers.ports import Message, Source
from schemas.appointments import APPOINTMENT_CHANGED, Appointment
from schemas.envelope import Envelope
from schemas.model import Contract
from schemas.reminders import (
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_PLANNED,
    ReminderDeadLetter,
    ReminderDue,
    RemindersPlanned,
)
from schemas.wire import Undecodable, decode_typed, derived_id, encode, event_id

SOURCE = "attend/reminders"

_APPOINTMENTS: dict[str, type[Contract]] = {APPOINTMENT_CHANGED: Appointment}


def read_appointment(source: Source) -> tuple[Appointment, str]:
    """Return the appointment in a record of `appointments`, and the id of its event.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; KEY_MISMATCH if the key is not the appointment's
            id, because then it is in the wrong partition.
    """
    appointment = decode_typed(_APPOINTMENTS, source.headers, source.value)
    assert isinstance(appointment, Appointment)  # noqa: S101  # the only model in the table
    if source.key != str(appointment.appointment_id).encode():
        raise Undecodable("KEY_MISMATCH", "key is not the appointment's id")
    given = next((value.decode("ascii", "replace") for name, value in source.headers if name == "ce_id"), None)
    return appointment, given or str(event_id(appointment.appointment_id, appointment.version))


class RecordWording:
    """`handle.planning.Wording`: every id is derived, so a repeat is an identical copy (G4).

    Args:
        now: Domain time, for dead letters only.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now

    def planned(self, body: RemindersPlanned, at: datetime) -> Message:
        """See `handle.planning.Wording`. A correction has other reminders or reasons, so it gets an id of its own."""
        content = [f"{reminder.reminder_id}/{reminder.reason or reminder.status}" for reminder in body.reminders]
        ce_id = derived_id("planned", body.appointment_id, body.version, *content)
        return _message(ce_id, REMINDERS_PLANNED, body.appointment_id, at, body)

    def due(self, body: ReminderDue, at: datetime) -> Message:
        """See `handle.planning.Wording`."""
        return _message(derived_id("due", body.reminder_id), REMINDER_DUE, body.appointment_id, at, body)

    def dead_letter(self, body: ReminderDeadLetter, key: bytes | None) -> Message:
        """See `handle.planning.Wording`. The key is the source's, whatever it was."""
        ce_id = derived_id("dead-letter", body.topic, body.partition, body.offset)
        place = f"{body.topic}/{body.partition}/{body.offset}"
        envelope = Envelope(str(ce_id), REMINDER_DEAD_LETTER, SOURCE, place, self._now())
        return Message(key, encode(body), envelope.headers())


def _message(ce_id: UUID, kind: str, appointment_id: UUID, at: datetime, body: Contract) -> Message:
    subject = str(appointment_id)
    return Message(subject.encode(), encode(body), Envelope(str(ce_id), kind, SOURCE, subject, at).headers())
