"""What booking publishes of a clinic."""

from datetime import datetime

from booking.clinics.domain.clinic import ClinicState
from booking.values.identity import SOURCE
from chassis.outbox.writer import Outgoing
from schemas.envelope import Envelope
from schemas.people import CLINIC_CHANGED, Clinic
from schemas.topics import CLINICS
from schemas.wire import derived_id, encode


def clinic_changed(clinic: ClinicState, now: datetime) -> Outgoing:
    """Return the event of a clinic's version."""
    body = Clinic(
        clinic_id=clinic.clinic_id,
        version=clinic.version,
        name=clinic.name,
        zone=clinic.zone,
        languages=clinic.languages,
        policy=clinic.policy,
    )
    ce_id = str(derived_id("clinic-event", clinic.clinic_id, clinic.version))
    envelope = Envelope(ce_id, CLINIC_CHANGED, SOURCE, clinic.clinic_id, now)
    return Outgoing(CLINICS, clinic.clinic_id, envelope, encode(body))
