"""The story of the worker: an appointment's version comes, its reminders are planned; one is due, it is handed over."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from reminders.domain import bodies
from reminders.domain.schedule import Unplannable, apply, settle
from reminders.timers.ports import Change, Message, Outcome, Source
from reminders.timers.row import Row
from schemas.appointments import Appointment
from schemas.reminders import ReminderDeadLetter, ReminderDue, RemindersPlanned
from schemas.wire import Undecodable


class Wording(Protocol):
    """How events become records of the topic `reminders`."""

    def planned(self, body: RemindersPlanned, at: datetime) -> Message:
        """Return the record of a plan."""
        ...

    def due(self, body: ReminderDue, at: datetime) -> Message:
        """Return the record of a hand-over at this domain time."""
        ...

    def dead_letter(self, body: ReminderDeadLetter, key: bytes | None) -> Message:
        """Return the record of a record that cannot be taken."""
        ...


class RemindersOwner:
    """What the timers' owner answers (`reminders.timers.ports.Owner`).

    Args:
        read: Returns a source record's appointment and the id of its event; raises Undecodable.
        wording: How events become records.
    """

    def __init__(self, read: Callable[[Source], tuple[Appointment, str]], wording: Wording) -> None:
        self._read = read
        self._wording = wording

    def on_record(self, source: Source, held: Row | None) -> Change:
        """Plan a version above the one held; anything else changes nothing (R10, R14, D10).

        What cannot be read or planned is published whole as a dead letter, and passed (G8).
        """
        try:
            appointment, caused_by = self._read(source)
            if held is not None and appointment.version <= held.version:
                same = appointment.version == held.version
                return Change(outcome=Outcome.REPEAT if same else Outcome.STALE)
            plan = apply(held, appointment)
        except Undecodable as error:
            return self._dead(source, error.code, str(error))
        except Unplannable as error:
            return self._dead(source, "UNPLANNABLE", str(error))
        body = bodies.planned(appointment, plan.reminders, caused_by)
        return Change((self._wording.planned(body, appointment.event_time),), plan.row)

    def on_due(self, key: bytes, row: Row, now: datetime) -> Change:
        """Hand over what is due and still in time; cancel the rest with its reason (D15)."""
        appointment_id = UUID(key.decode())
        settled = settle(row, now)
        messages = []
        if (late := bodies.correction(appointment_id, row, settled)) is not None:
            messages.append(self._wording.planned(late, now))
        if settled.handed_over is not None:
            messages.append(self._wording.due(bodies.due(appointment_id, row, settled.handed_over), now))
        counts = {
            "handed_over": int(settled.handed_over is not None),
            "too_late": len(settled.too_late),
            "superseded": len(settled.superseded),
        }
        return Change(tuple(messages), settled.row, counts=counts)

    def _dead(self, source: Source, code: str, message: str) -> Change:
        letter = bodies.dead_letter(source, code, message)
        return Change((self._wording.dead_letter(letter, source.key),), outcome=Outcome.DEAD)
