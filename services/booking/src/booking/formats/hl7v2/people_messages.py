"""From a message of patient administration (ADT) to what it tells of a patient; what it does not say stays (D51)."""

from uuid import UUID

from booking.door.domain import Client
from booking.formats.hl7v2.names import patient_names
from booking.formats.hl7v2.people import person_of
from booking.formats.hl7v2.segments import Message, Segment
from booking.formats.port import Hints, Meant
from booking.merges.told import ToldMerge, ToldMerges
from booking.patients.domain.details import KeptDetails, read_by
from booking.patients.domain.patient import PatientState
from booking.patients.domain.registrations import Registration
from booking.profiles.domain import Profile
from booking.values.identity import Identity
from booking.values.names import are_two
from booking.values.refusals import Refused
from booking.values.trail import Took, Trail
from booking.values.warned import Details

ADMINISTRATION = "ADT"

_DESCRIBES = frozenset({"A04", "A05", "A08", "A28", "A31"})
"""Registered, pre-admitted, changed, added, changed as a person."""

MERGES = frozenset({"A34", "A40"})
"""Two records become one: PID names the one that is kept, MRG after it the one that is merged away."""

_DELETES = frozenset({"A23", "A29"})
"""A patient's or a person's record is deleted: nobody writes to him any more, and his visits are told of their own.

Whoever is not registered is not registered by it."""


def registration(message: Message, meant: Meant, hints: Hints, trail: Trail | None = None) -> Registration:
    """Return what a message of ADT tells of its patient, by his best name; what cannot be kept is not told.

    Args:
        trail: Takes where its values came from; None: nobody asked.

    Raises:
        Refused: UNSUPPORTED_EVENT, MAY_NOT_REGISTER, NO_PATIENT, SEVERAL_PATIENTS.
    """
    if message.trigger not in _DESCRIBES | _DELETES:
        text = "of patients' records what describes, deletes or merges them is taken"
        raise Refused("UNSUPPORTED_EVENT", text, "MSH-9.2")
    hints.client.check_may_register()
    profile, details = meant.profile, Details(message.warnings, trail)
    identity = (meant.source, _name(message, profile, hints, details))
    if message.trigger in _DELETES:
        details.took("person.do_not_contact", "MSH-9.2", "", "his record is deleted")
        return _registration(identity, {}, {"do_not_contact": True}, hints.client, details)._replace(only_known=True)
    return _described(message.all("PID")[0], identity, message, meant, hints, details)


def _described(
    person: Segment, identity: Identity, message: Message, meant: Meant, hints: Hints, details: Details
) -> Registration:
    """Return what one PID says of its patient."""
    read = person_of(person, message, meant.profile, details)
    kept = read_by(read, meant.country or hints.country, details)
    flags = {} if kept.deceased is None else {"deceased": kept.deceased}
    told = _registration(identity, _told(kept), flags, hints.client, details)
    return told._replace(language_otherwise=kept.language_otherwise)


def merges(message: Message, meant: Meant, hints: Hints, trail: Trail | None = None) -> ToldMerges:
    """Return what a message of ADT merges: each MRG's record into that of the PID before it.

    What names both, as a national number, is of neither alone. A number in MRG-1 without an authority may be one of
    PID's: it is looked for as it is written, and then so.

    Args:
        trail: Takes where the records are named; None: nobody asked.

    Raises:
        Refused: MAY_NOT_REGISTER, NO_PATIENT; SAME_PATIENT: a record is merged into itself.
    """
    hints.client.check_may_register()
    profile, source = meant.profile, meant.source
    details, today = Details(message.warnings), f"{hints.now:%Y%m%d}"
    if trail is not None:
        trail += (Took("patient", "PID-3", "hl7v2.patient"), Took("merged_away", "MRG-1", "hl7v2.patient"))
    losers = profile.hl7v2.patient.model_copy(update={"fields": ("MRG-1",)})
    pairs, into, survivor = list[ToldMerge](), tuple[str, ...](), message.segments[0]
    for segment in message.segments:
        if segment.name == "PID":
            into, survivor = patient_names(segment, profile.hl7v2.patient, today, details), segment
        elif segment.name == "MRG":
            named = patient_names(segment, losers, today, details)
            away = tuple(name for name in named if name not in into)
            _check_pair(into, named, away)
            kept = _described(survivor, (source, into[0]), message, meant, hints, details)._replace(only_new=True)
            pairs.append(ToldMerge(_of(source, _with_authority(away, into[0])), _of(source, into), kept))
    if not pairs:
        raise Refused("NO_PATIENT", "no record is named that is merged away", "MRG-1")
    return ToldMerges(pairs, hints.client)


def _check_pair(into: tuple[str, ...], named: tuple[str, ...], away: tuple[str, ...]) -> None:
    for names, place in ((into, "PID-3"), (named, "MRG-1")):
        if not names:
            raise Refused("NO_PATIENT", "no identifier names the patient", place)
    if not away or (len(away) < len(named) and not are_two(into, named)):
        raise Refused("SAME_PATIENT", "a record is merged into another, not into itself", "MRG-1")


def _with_authority(names: tuple[str, ...], other: str) -> tuple[str, ...]:
    authority, bar, _ = other.rpartition("|")
    bare = [name for name in names if "|" not in name] if bar else []
    return (*names, *(f"{authority}|{name}" for name in bare))


def _of(source: str, names: tuple[str, ...]) -> tuple[Identity, ...]:
    return tuple((source, name) for name in names)


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
