"""Messages of HL7 v2 that are of patients alone: another door takes them, and they are explained like the others."""

from booking.formats.hl7v2.format import meant_by
from booking.formats.hl7v2.people_messages import ADMINISTRATION, MERGES, merges, registration
from booking.formats.hl7v2.segments import read
from booking.formats.port import Hints
from booking.merges.told import ToldMerges
from booking.patients.domain.registrations import Registration
from booking.values.refusals import Refused
from booking.values.trail import Took, Trail

type Told = Registration | ToldMerges


def told(body: bytes, hints: Hints, trail: Trail, country: str | None) -> Told | Refused | None:
    """Return what a message tells of patients, or why that is refused; None: it is of none, or cannot be read.

    Args:
        trail: Takes where its values came from.
        country: By which national numbers are read where the profile names none.
    """
    try:
        message = read(body)
        meant = meant_by(message, hints)
        source, profile = meant.source, meant.profile
        if profile.hl7v2.charset is not None:
            message = read(body, profile.hl7v2.charset)
    except Refused:
        return None
    if message.kind != ADMINISTRATION:
        return None
    try:
        if message.trigger in MERGES:
            found = merges(message, source, profile, hints)
            trail += (Took("patient", "PID-3", "hl7v2.patient"), Took("merged_away", "MRG-1", "hl7v2.patient"))
            return found
        return registration(message, source, profile, hints, country, trail)
    except Refused as refusal:
        return refusal
