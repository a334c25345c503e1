"""From Kafka records to what the stories read."""

from typing import Any

from aiokafka import ConsumerRecord
from pydantic import TypeAdapter, ValidationError

from notifier.domain.transitions import VisitReading
from notifier.handle.fanout import DueSeen
from schemas.appointments import APPOINTMENT_CHANGED, Appointment
from schemas.envelope import event_type
from schemas.model import Contract
from schemas.reminders import (
    CLINIC_DAY_DUE,
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ReminderDue,
)
from schemas.wire import Undecodable, decode, decode_typed

type Record = ConsumerRecord[Any, Any]

_APPOINTMENTS: dict[str, type[Contract]] = {APPOINTMENT_CHANGED: Appointment}
_DUE: dict[str, type[Contract]] = {REMINDER_DUE: ReminderDue}
_OF_OTHERS = frozenset({REMINDERS_PLANNED, REMINDERS_CANCELLED, CLINIC_DAY_DUE, REMINDER_DEAD_LETTER})
"""Types of the topic `reminders` that lead to no notification."""

_read_visit = TypeAdapter(VisitReading).validator.validate_json


def appointment(record: Record) -> VisitReading:
    """Return the appointment's version in this record.

    Decoded with the lean reading; what that refuses is read once more by the whole contract, which
    gives the reason its name and lets ids in another spelling pass.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`.
    """
    headers = tuple(record.headers)
    if event_type(headers) == APPOINTMENT_CHANGED and record.value is not None:
        try:
            visit: VisitReading = _read_visit(record.value)
            return visit
        except ValidationError:
            pass
    whole = decode_typed(_APPOINTMENTS, headers, record.value)
    return VisitReading.model_validate(whole.model_dump(mode="json"))


def due(record: Record) -> DueSeen | None:
    """Return the reminder handed over by this record; None for the topic's other types.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`.
    """
    headers = tuple(record.headers)
    kind = event_type(headers)
    if kind in _OF_OTHERS:
        return None
    if kind != REMINDER_DUE:
        decode_typed(_DUE, headers, record.value)
        raise Undecodable("UNKNOWN_TYPE", f"ce_type {kind!r}")
    return DueSeen(decode(ReminderDue, record.value), _event_id(record))


def _event_id(record: Record) -> str:
    """Return the event's id, or its position if the writer gave none."""
    for name, value in record.headers:
        if name == "ce_id":
            return str(value, "ascii", "replace")
    return f"{record.topic}/{record.partition}/{record.offset}"
