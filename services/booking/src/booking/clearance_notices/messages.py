"""What booking publishes of a visit that is near and lacks something."""

from datetime import datetime

from booking.clearance_notices.domain import NearVisit
from booking.values.identity import SOURCE
from chassis.outbox.writer import Outgoing
from schemas.clearance_notices import CLEARANCE_MISSING, ClearanceMissing
from schemas.envelope import Envelope
from schemas.topics import CLEARANCES
from schemas.wire import derived_id, encode


def clearance_missing(visit: NearVisit, clinic_id: str, caused_by: str, now: datetime) -> Outgoing:
    """Return the event: of one schedule and number of days always with the same id."""
    key = str(visit.appointment_id)
    body = ClearanceMissing(
        appointment_id=visit.appointment_id,
        patient_id=visit.patient_id,
        clinic_id=clinic_id,
        appointment_version=visit.version,
        schedule_gen=visit.schedule_gen,
        days=visit.days,
        starts_at=visit.starts_at,
        due=visit.due,
        not_after=visit.not_after,
        caused_by=caused_by,
    )
    ce_id = str(derived_id(CLEARANCE_MISSING, key, visit.schedule_gen, visit.days))
    return Outgoing(CLEARANCES, key, Envelope(ce_id, CLEARANCE_MISSING, SOURCE, key, now), encode(body))
