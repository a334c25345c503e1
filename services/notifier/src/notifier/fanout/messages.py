"""From Kafka records to what the stories read."""

from typing import Any

from aiokafka import ConsumerRecord
from pydantic import TypeAdapter, ValidationError

from notifier.fanout.domain.mornings import Morning
from notifier.fanout.domain.versions import VisitReading
from notifier.fanout.handle.reminders import Ahead, DueSeen, GoneSeen, PlanSeen, Seen
from schemas.appointments import APPOINTMENT_CHANGED, Appointment
from schemas.clearance_notices import CLEARANCE_MISSING, ClearanceMissing
from schemas.clearances import CLEARANCE_CHANGED, ClearanceChanged
from schemas.envelope import event_type
from schemas.model import Contract
from schemas.people import PATIENT_CHANGED, PROVIDER_CHANGED, Patient, Provider
from schemas.reminders import (
    CLINIC_DAY_DUE,
    REMINDER_DEAD_LETTER,
    REMINDER_DUE,
    REMINDERS_CANCELLED,
    REMINDERS_PLANNED,
    ClinicDayDue,
    ReminderDue,
    RemindersCancelled,
    RemindersPlanned,
    ReminderStatus,
)
from schemas.wire import Undecodable, check_zone, decode, decode_typed

type Record = ConsumerRecord[Any, Any]

_APPOINTMENTS: dict[str, type[Contract]] = {APPOINTMENT_CHANGED: Appointment}
_REMINDERS: dict[str, type[Contract]] = {
    REMINDER_DUE: ReminderDue,
    REMINDERS_PLANNED: RemindersPlanned,
    REMINDERS_CANCELLED: RemindersCancelled,
    CLINIC_DAY_DUE: ClinicDayDue,
}
_CLEARANCES: dict[str, type[Contract]] = {CLEARANCE_MISSING: ClearanceMissing, CLEARANCE_CHANGED: ClearanceChanged}
_PEOPLE: dict[str, type[Contract]] = {PATIENT_CHANGED: Patient, PROVIDER_CHANGED: Provider}

_read_visit = TypeAdapter(VisitReading).validator.validate_json


def appointment(record: Record) -> VisitReading:
    """Return the appointment's version in this record.

    Decoded with the lean reading; what that refuses is read once more by the whole contract, which
    gives the reason its name and lets ids in another spelling pass.
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


def reminders(record: Record) -> Seen | None:
    """Return what this record of the topic `reminders` says; None for the worker's dead letters."""
    headers = tuple(record.headers)
    kind = event_type(headers)
    if kind == REMINDER_DUE:
        return DueSeen(decode(ReminderDue, record.value), _event_id(record))
    if kind == REMINDERS_PLANNED:
        return _plan(decode(RemindersPlanned, record.value))
    if kind == REMINDERS_CANCELLED:
        gone = decode(RemindersCancelled, record.value)
        return GoneSeen(gone.appointment_id, tuple(one.reminder_id for one in gone.reminders))
    if kind == CLINIC_DAY_DUE:
        day = decode(ClinicDayDue, record.value)
        check_zone(day.zone)
        return Morning(day.clinic_id, day.day, day.zone, day.not_after, _event_id(record))
    if kind == REMINDER_DEAD_LETTER:
        return None
    decode_typed(_REMINDERS, headers, record.value)
    raise Undecodable("UNKNOWN_TYPE", f"ce_type {kind!r}")


def clearances(record: Record) -> ClearanceMissing | None:
    """Return what a visit that is near lacks; None for a change of one clearance, which the gate reads for itself."""
    body = decode_typed(_CLEARANCES, tuple(record.headers), record.value)
    return body if isinstance(body, ClearanceMissing) else None


def people(record: Record) -> tuple[str, ...]:
    """Return whom a record of `patients` or `providers` brings, and into whom he was merged; nobody if he is erased."""
    if record.value is None:
        return ()
    match decode_typed(_PEOPLE, tuple(record.headers), record.value):
        case Patient(patient_id=patient, merged_into=None):
            return (str(patient),)
        case Patient(patient_id=patient, merged_into=kept):
            return (str(patient), str(kept))
        case Provider(provider_id=provider):
            return (str(provider),)
    return ()


def _plan(planned: RemindersPlanned) -> PlanSeen:
    ahead = tuple(
        Ahead(one.reminder_id, one.due, one.not_after)
        for one in planned.reminders
        if one.status is ReminderStatus.SCHEDULED
    )
    return PlanSeen(planned.appointment_id, planned.version, planned.schedule_gen, ahead)


def _event_id(record: Record) -> str:
    """Return the event's id, or its position if the writer gave none."""
    for name, value in record.headers:
        if name == "ce_id" and value is not None:
            return str(value, "ascii", "replace")
    return f"{record.topic}/{record.partition}/{record.offset}"
