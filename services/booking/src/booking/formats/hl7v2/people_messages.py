"""From a message of patient administration (ADT) to what it tells of a patient; what it does not say stays (D51)."""

from uuid import UUID

from booking.door.domain import Client
from booking.formats.hl7v2.names import patient_names
from booking.formats.hl7v2.people import person_of
from booking.formats.hl7v2.segments import Message
from booking.formats.port import Hints
from booking.patients.domain.details import KeptDetails, read_by
from booking.patients.domain.patient import PatientState
from booking.patients.domain.registrations import Registration
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.warned import Details

ADMINISTRATION = "ADT"

_DESCRIBES = frozenset({"A04", "A05", "A08", "A28", "A31"})
"""Registered, pre-admitted, changed, added, changed as a person."""

_DELETES = frozenset({"A23", "A29"})
"""A patient's or a person's record is deleted: nobody writes to him any more, and his visits are told of their own."""


def registration(message: Message, source: str, profile: Profile, hints: Hints, country: str | None) -> Registration:
    """Return what a message of ADT tells of its patient, by his best name; what cannot be kept is not told.

    Args:
        country: By which national numbers are read where the profile names none.

    Raises:
        Refused: UNSUPPORTED_EVENT, MAY_NOT_REGISTER, NO_PATIENT, SEVERAL_PATIENTS.
    """
    if message.trigger not in _DESCRIBES | _DELETES:
        text = "of a patient's record what describes or deletes it is taken; merge two by POST /v1/patients/{id}/merge"
        raise Refused("UNSUPPORTED_EVENT", text, "MSH-9.2")
    hints.client.check_may_register()
    details = Details(message.warnings)
    identity = (source, _name(message, profile, hints, details))
    if message.trigger in _DELETES:
        return _registration(identity, {}, {"do_not_contact": True}, hints.client, details)
    read = person_of(message.all("PID")[0], message, profile)
    kept = read_by(read, profile.country or country, details)
    flags = {} if kept.deceased is None else {"deceased": kept.deceased}
    return _registration(identity, _told(kept), flags, hints.client, details)


def _name(message: Message, profile: Profile, hints: Hints, details: Details) -> str:
    people = message.all("PID")
    today = f"{hints.now:%Y%m%d}"
    names = [patient_names(one, profile.hl7v2.patient, today, details)[:1] for one in people]
    if len(set(names)) > 1:
        raise Refused("SEVERAL_PATIENTS", "one message is of one patient: send one for each", "PID")
    if not any(names):
        raise Refused("NO_PATIENT", "no identifier names the patient", "PID-3")
    return names[0][0]


def _told(kept: KeptDetails) -> dict[str, str | None]:
    """Return the fields that are told: those that are said, and those that are taken away."""
    names = ("given_name", "family_name", "language", "mobile", "email")
    told: dict[str, str | None] = {name: said for name in names if (said := getattr(kept, name)) is not None}
    for name, is_gone in (("mobile", kept.has_no_mobile), ("email", kept.has_no_email)):
        if is_gone:
            told.setdefault(name, None)
    if told.get("mobile") or told.get("email"):
        told["contact_of"] = None  # PID has his own
    return told


def _registration(
    identity: tuple[str, str], told: dict[str, str | None], flags: dict[str, bool], client: Client, details: Details
) -> Registration:
    state = PatientState(
        UUID(int=0),
        given_name=told.get("given_name"),
        family_name=told.get("family_name"),
        language=told.get("language"),
        mobile=told.get("mobile"),
        email=told.get("email"),
    )
    return Registration(identity, state, flags, client, frozenset(told), warnings=tuple(details.warnings))
