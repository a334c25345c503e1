"""From Kafka records to what the stories read.

Records decides by few fields and passes none on, so it decodes with the lean readings, which take a
third of the time and never hold a name. What they refuse is read once more by the whole contract:
that gives the reason its name, and lets ids in another spelling pass.
"""

from uuid import UUID

from aiokafka import ConsumerRecord
from pydantic import TypeAdapter, ValidationError

from records.domain import Erased, PatientSnapshot, ProviderSnapshot
from schemas.appointments import APPOINTMENT_CHANGED, Appointment
from schemas.envelope import Received
from schemas.lean_models import AppointmentReading, PatientReading, ProviderReading
from schemas.model import Contract
from schemas.people import PATIENT_CHANGED, PROVIDER_CHANGED, Patient, Provider
from schemas.wire import Undecodable, decode_typed

_APPOINTMENT_TYPE = APPOINTMENT_CHANGED.encode()
_read_appointment = TypeAdapter(AppointmentReading).validator.validate_json  # past the adapter's wrapper: 0.3 µs
_APPOINTMENTS: dict[str, type[Contract]] = {APPOINTMENT_CHANGED: Appointment}
_PATIENTS: dict[str, type[Contract]] = {PATIENT_CHANGED: Patient}
_PROVIDERS: dict[str, type[Contract]] = {PROVIDER_CHANGED: Provider}


def appointment(record: ConsumerRecord) -> AppointmentReading:
    """Return the appointment's version in this record."""
    for name, kind in record.headers:
        if name == "ce_type":
            if kind == _APPOINTMENT_TYPE and record.value is not None:
                try:
                    reading: AppointmentReading = _read_appointment(record.value)
                    return reading
                except ValidationError:
                    break
            break
    whole = decode_typed(_APPOINTMENTS, _headers(record), record.value)
    return AppointmentReading.model_validate(whole.model_dump(mode="json"))


def patient(record: ConsumerRecord) -> PatientSnapshot | Erased:
    """Return the patient's snapshot, or his tombstone.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; INVALID for a tombstone whose key is no id.
    """
    if record.value is None:
        return _erased(record)
    whole = decode_typed(_PATIENTS, _headers(record), record.value)
    seen = PatientReading.model_validate(whole.model_dump(mode="json", include=set(PatientReading.model_fields)))
    return PatientSnapshot(seen.patient_id, seen.version, seen.main_file, seen.merged_into, _event_id(record))


def provider(record: ConsumerRecord) -> ProviderSnapshot | Erased:
    """Return the provider's snapshot, or its tombstone.

    Raises:
        Undecodable: As `schemas.wire.decode_typed`; INVALID for a tombstone whose key is no id.
    """
    if record.value is None:
        return _erased(record)
    whole = decode_typed(_PROVIDERS, _headers(record), record.value)
    seen = ProviderReading.model_validate(whole.model_dump(mode="json", include=set(ProviderReading.model_fields)))
    return ProviderSnapshot(seen.provider_id, seen.version, _event_id(record))


def _erased(record: ConsumerRecord) -> Erased:
    try:
        return Erased(str(UUID((record.key or b"").decode("ascii"))))
    except ValueError:
        raise Undecodable("INVALID", "key: not an id") from None


def _event_id(record: ConsumerRecord) -> str:
    """Return the event's id, or its position if the writer gave none."""
    for name, value in record.headers:
        if name == "ce_id" and value is not None:
            return str(value, "ascii", "replace")
    return f"{record.topic}/{record.partition}/{record.offset}"


def _headers(record: ConsumerRecord) -> Received:
    return tuple(record.headers)
