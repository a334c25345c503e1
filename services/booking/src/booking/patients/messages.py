"""What booking publishes of a registered patient."""

from datetime import datetime

from booking.patients.domain.patient import PatientState
from booking.values.identity import SOURCE
from chassis.outbox.writer import Outgoing
from schemas.envelope import Envelope
from schemas.people import PATIENT_CHANGED, Patient
from schemas.topics import PATIENTS
from schemas.wire import derived_id, encode


def patient_changed(patient: PatientState, now: datetime) -> Outgoing:
    """Return the event of a registered patient's version."""
    body = Patient.model_validate(
        {name: getattr(patient, name) for name in Patient.model_fields if hasattr(patient, name)}
    )
    key = str(patient.patient_id)
    ce_id = str(derived_id("patient-event", key, patient.version))
    return Outgoing(PATIENTS, key, Envelope(ce_id, PATIENT_CHANGED, SOURCE, key, now), encode(body))
