"""What booking publishes of a visit's clearances."""

from booking.clearances.handle import Word
from booking.values.identity import SOURCE
from chassis.outbox.writer import Outgoing
from schemas.clearances import CLEARANCE_CHANGED, ClearanceChanged, ClearanceState
from schemas.envelope import Envelope
from schemas.topics import CLEARANCES
from schemas.wire import derived_id, encode


def clearance_changed(word: Word, *, is_missing: bool) -> Outgoing:
    """Return the event of one change: what holds, and no amounts, references or reasons.

    Args:
        is_missing: Whether the visit lacks something after it.
    """
    said, visit = word.said, word.visit
    key = str(visit.appointment_id)
    body = ClearanceChanged(
        appointment_id=visit.appointment_id,
        patient_id=said.patient_id or visit.patient_id,
        clinic_id=visit.clinic_id,
        kind=said.kind,
        form=said.form or None,
        form_version=said.form_version,
        state=ClearanceState(said.state.value),
        version=said.version,
        valid_until=said.valid_until,
        said_at=said.stands_at,
        changed_by=said.client,
        is_missing=is_missing,
    )
    ce_id = str(derived_id("clearance", key, said.version))
    return Outgoing(CLEARANCES, key, Envelope(ce_id, CLEARANCE_CHANGED, SOURCE, key, said.recorded_at), encode(body))
