"""What booking publishes of an appointment."""

from collections.abc import Sequence
from uuid import UUID

import orjson

from booking.appointments.domain.state import AppointmentState
from booking.clinics.domain.clinic import ClinicState
from booking.values.identity import SOURCE
from booking.values.times import wall_time
from chassis.outbox.writer import Outgoing
from schemas.appointments import APPOINTMENT_CHANGED, Bar
from schemas.envelope import Envelope
from schemas.topics import APPOINTMENTS
from schemas.wire import event_id


def appointment_changed(
    appointment_id: UUID, state: AppointmentState, clinic: ClinicState, barred: Bar | None, flags: Sequence[str] = ()
) -> Outgoing:
    """Return the event of one version: the whole appointment, no names, no contacts.

    `barred` says why no message may go to the patient (D44); `flags` are those that this version raises.

    The same version always gives the same bytes and the same id (G2). The values are booking's own, so
    they are written as `schemas.wire.encode` would write them, but without building its model:
    that costs four times as much, and a test holds the two against each other.
    """
    key = str(appointment_id)
    body = {
        "appointment_id": key,
        "version": state.version,
        "status": state.status.value,
        "confirmed": state.confirmed,
        "mode": state.mode.value,
        "patient_id": str(state.patient),
        "clinic_id": clinic.clinic_id,
        "provider_id": None if state.provider_id is None else str(state.provider_id),
        "service_type": state.service_type,
        "starts_at": state.starts_at,
        "starts_local": None if state.starts_at is None else wall_time(state.starts_at, clinic.zone),
        "ends_at": state.ends_at,
        "zone": clinic.zone,
        "schedule_gen": state.schedule_gen,
        "schedule_set_at": state.schedule_set_at,
        "first_booked_at": state.first_booked_at,
        "policy": orjson.Fragment(clinic.stamp(state.service_type)),
        "event_time": state.event_time,
        "ingest_time": state.ingest_time,
        "source": state.source,
        "caused_by": state.caused_by,
        "reason": state.reason,
        "barred": barred,
        "flags": flags or None,
    }
    value = orjson.dumps({name: held for name, held in body.items() if held is not None}, option=orjson.OPT_UTC_Z)
    ce_id = str(event_id(appointment_id, state.version))
    return Outgoing(APPOINTMENTS, key, Envelope(ce_id, APPOINTMENT_CHANGED, SOURCE, key, state.ingest_time), value)
