"""From FHIR R4 resources to commands. The table of every field is in the service's README."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.formats.fhir_r4.references import Message, identifiers, names_by_id, unversioned
from booking.patients.domain.patient import PersonDetails
from booking.values import texts
from booking.values.names import MOST_NAMES
from booking.values.refusals import Refused
from booking.values.times import FIRST_YEAR, LAST_YEAR
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Details, dropped
from schemas.appointments import Status

SELF = "ONESELF"
"""v3-RoleCode of a Patient.contact that is the patient himself; BaRS puts his phone there."""

_PLACES = ("HealthcareService", "Location")
_RECEIVERS = ("Practitioner", "PractitionerRole", "Organization")
"""Types of MessageHeader.destination.receiver."""


_LEADS = frozenset({"PPRF", "ATND"})
"""Codes of v3-ParticipationType for who sees the patient: primary performer and attender."""
_SEES_NOBODY = frozenset({"translator", "TRANS", "REF", "REFB"})
"""Translator (participant-type), transcriber, referrer and referred by: practitioners of whom it is no visit."""


def command(
    appointment: Any,
    message: Message,
    details: Details,
    *,
    client: str,
    source: str,
    key: str,
    body_sha256: bytes,
) -> BookAppointment:
    """Return the command that an Appointment and what came with it stand for; details that cannot be kept are noted.

    Raises:
        Refused: NO_PATIENT, SEVERAL_PATIENTS, NO_APPOINTMENT_ID, or an id or the start is not acceptable.
    """
    message = message.containing(appointment)
    patient, person = _patient(appointment, message)
    patients = texts.identifier(patient[0], _PATIENT), *further_names(patient[1:], details, _PATIENT)
    names = _names(appointment, message, details)
    provider, others, name = _provider(appointment, message, details)
    lenient = details.read
    status = _status(appointment.status)
    start = (appointment.start, "start")
    starts_at = lenient(UNSET, _instant, *start) if status in NEEDS_NO_START else _instant(*start)
    reason = lenient(None, _concept, appointment.cancelationReason, "cancelationReason")
    return BookAppointment(
        client=client,
        key=texts.identifier(key, "Bundle.id"),
        body_sha256=body_sha256,
        source=source,
        appointment=names[0],
        status=status,
        occurred_at=lenient(
            None, _instant, appointment.meta.lastUpdated if appointment.meta else None, "meta.lastUpdated"
        ),
        reason=reason,
        patient=patients[0],
        clinic_identifiers=tuple(dict.fromkeys(_clinic(appointment, message))),
        provider=provider,
        provider_name=None if name is None else lenient(None, texts.name, name, "Practitioner.name"),
        service_type=lenient(UNSET, _service, appointment, message),
        starts_at=starts_at,
        ends_at=UNSET if appointment.end is None else lenient(UNSET, _instant, appointment.end, "end"),
        person=person,
        other_names=names[1:],
        patient_names=patients[1:],
        provider_names=others,
        warnings=tuple(details.warnings),
    )


def _status(code: str) -> Status:
    try:
        return Status(code)
    except ValueError:
        raise Refused("UNKNOWN_STATUS", "not one of R4's appointment statuses", "Appointment.status") from None


_NAMES = "Appointment.identifier"
_PATIENT = "Patient.identifier"
_PROVIDER = "Practitioner.identifier"


def _names(appointment: Any, message: Message, details: Details) -> tuple[str, ...]:
    """Return its names: identifiers and id, the message's focus if there is neither. The first is essential."""
    found = identifiers(appointment)
    found = list(dict.fromkeys(found + names_by_id(appointment, found))) or [message.focus or ""]
    if not found[0]:
        raise Refused("NO_APPOINTMENT_ID", "the Appointment has neither identifier nor id", _NAMES)
    return texts.identifier(found[0], _NAMES), *further_names(found[1:], details, _NAMES)


def further_names(names: list[str], details: Details, place: str) -> tuple[str, ...]:
    """Return the names that can be kept, as many as are taken beside a first one; what is dropped is noted."""
    if len(names) >= MOST_NAMES:
        too_many = Refused("TOO_MANY_NAMES", f"at most {MOST_NAMES} names of one are kept", place)
        details.warnings.append(dropped(too_many))
    read = (details.read(None, texts.identifier, name, place) for name in names[: MOST_NAMES - 1])
    return tuple(name for name in read if name is not None)


def _actors(participants: list[Any], message: Message, kind: str) -> Iterator[tuple[Any, Any]]:
    """Yield (reference, resource or None) of the participants of one type."""
    for participant in participants:
        reference = participant.actor
        if reference is not None and message.kind(reference) == kind:
            yield reference, message.resolve(reference)


def _coming(appointment: Any) -> list[Any]:
    return [participant for participant in appointment.participant or [] if participant.status != "declined"]


def _patient(appointment: Any, message: Message) -> tuple[list[str], PersonDetails | None]:
    """Return the names of the one patient, and his details.

    One who declined counts only where no other is: his cancellation names him so.
    """
    everyone = appointment.participant or []
    for participants in (_coming(appointment), everyone):
        people: dict[str, Any] = {}
        names: dict[str, list[str]] = {}
        for reference, resource in _actors(participants, message, "Patient"):
            if found := message.names_of(reference):
                people[found[0]] = people.get(found[0]) or resource
                names[found[0]] = names.get(found[0], []) + found
        if len(people) > 1:
            text = "one appointment is one patient's: send one for each"
            raise Refused("SEVERAL_PATIENTS", text, "Appointment.participant")
        for first, resource in people.items():
            return list(dict.fromkeys(names[first])), None if resource is None else _person(resource)
    if message.header is None:  # a single resource whose only actor is not typed: UK Core's own example
        untyped = [p.actor for p in everyone if p.actor is not None and p.actor.reference]
        if len(untyped) == 1 and str(untyped[0].reference).startswith("urn:uuid:"):
            return [str(untyped[0].reference)], None
    raise Refused("NO_PATIENT", "no participant is a Patient with an identity of his own", "Appointment.participant")


def _person(patient: Any) -> PersonDetails:
    name = next((n for n in patient.name or [] if n.use == "official"), (patient.name or [None])[0])
    own = [c for c in patient.contact or [] if _is_self(c)]
    telecom = [*(patient.telecom or []), *(t for c in own for t in c.telecom or [])]
    deceased = patient.deceasedBoolean
    return PersonDetails(
        given_name=None if name is None or not name.given else name.given[0],
        family_name=None if name is None else name.family,
        mobile=_telecom(telecom, "phone"),
        email=_telecom(telecom, "email"),
        language=_language(patient),
        deceased=True if patient.deceasedDateTime is not None else deceased,
        old_mobiles=_old(telecom, "phone"),
        old_emails=_old(telecom, "email"),
    )


def _is_self(contact: Any) -> bool:
    codings = [coding for concept in contact.relationship or [] for coding in concept.coding or []]
    return any(coding.code == SELF for coding in codings)


def _telecom(points: list[Any], system: str) -> str | None:
    """Return the best contact point: a mobile one first, then by rank, then as listed; old ones never."""
    usable = [p for p in points if p.system == system and p.value and p.use != "old"]
    best = min(usable, key=lambda p: (p.use != "mobile", p.rank or 99), default=None)
    return None if best is None else best.value


def _old(points: list[Any], system: str) -> tuple[str, ...]:
    return tuple(str(p.value) for p in points if p.system == system and p.value and p.use == "old")


def _language(patient: Any) -> str | None:
    spoken = sorted(patient.communication or [], key=lambda c: not c.preferred)
    return next((coding.code for c in spoken if c.language for coding in c.language.coding or [] if coding.code), None)


def _provider(
    appointment: Any, message: Message, details: Details
) -> tuple[Maybe[str | None], tuple[str, ...], str | None]:
    """Return the practitioner's first name and further ones, and what he is called.

    It is the participant, else the Schedule's actor.
    """
    for reference, resource in _practitioners(appointment, message):
        if found := message.names_of(reference):
            first: Maybe[str | None] = details.read(UNSET, texts.identifier, found[0], _PROVIDER)
            others = () if first is UNSET else further_names(found[1:], details, _PROVIDER)
            return first, others, _name(resource) or reference.display
        if reference.reference:
            text = "a practitioner has an identifier, or an id outside the Appointment"
            details.warnings.append(dropped(Refused("NO_IDENTIFIER", text, _PROVIDER)))
    return UNSET, (), None


def _practitioners(appointment: Any, message: Message) -> Iterator[tuple[Any, Any]]:
    """Yield those who may be the provider, best first: of the participants the marked ones, if any are."""
    seeing = [(p, _roles(p)) for p in _coming(appointment)]
    marked = [p for p, roles in seeing if roles & _LEADS]
    yield from _actors(marked, message, "Practitioner")
    if not any(_actors(marked, message, "Practitioner")):
        yield from _actors([p for p, roles in seeing if not roles & _SEES_NOBODY], message, "Practitioner")
    for reference in _schedule_actors(appointment, message):
        if (resource := message.resolve_as(reference, "Practitioner")) is not None:
            yield reference, resource


def _roles(participant: Any) -> set[str]:
    return {coding.code for concept in participant.type or [] for coding in concept.coding or [] if coding.code}


def _name(practitioner: Any) -> str | None:
    names = practitioner.name if practitioner is not None else None
    if not names:
        return None
    written = names[0]
    parts = [*(written.prefix or []), *(written.given or []), written.family]
    return written.text or " ".join(part for part in parts if part) or None


def _slots(appointment: Any, message: Message) -> Iterator[Any]:
    for reference in appointment.slot or []:
        if (slot := message.resolve_as(reference, "Slot")) is not None:
            yield slot


def _schedule_actors(appointment: Any, message: Message) -> Iterator[Any]:
    for slot in _slots(appointment, message):
        schedule = message.resolve_as(slot.schedule, "Schedule")
        yield from (schedule.actor or []) if schedule is not None else ()


def _clinic(appointment: Any, message: Message) -> Iterator[tuple[str, str]]:
    """Yield what may stand for the clinic, best first: service, place, then where the message goes."""
    for kind in _PLACES:
        for reference, resource in _actors(appointment.participant or [], message, kind):
            yield from _names_of(reference, resource)
    for reference in _schedule_actors(appointment, message):
        resource = message.resolve_as(reference, *_PLACES)
        if resource is not None:
            yield from _names_of(reference, resource)
    for destination in (message.header.destination or []) if message.header is not None else ():
        system, bar, value = (destination.endpoint or "").rpartition("|")
        if bar:
            yield system, value
        receiver = message.resolve_as(destination.receiver, *_RECEIVERS)
        if receiver is not None:
            yield from ((i.system or "", i.value) for i in receiver.identifier or [] if i.value)


def _names_of(reference: Any, resource: Any) -> Iterator[tuple[str, str]]:
    for identifier in (resource.identifier or []) if resource is not None else ():
        if identifier.value:
            yield identifier.system or "", identifier.value
    if reference.identifier is not None and reference.identifier.value:
        yield reference.identifier.system or "", reference.identifier.value
    kind, slash, value = unversioned(reference).rpartition("/")
    if slash and not kind.startswith("urn:"):
        yield kind, value


def _service(appointment: Any, message: Message) -> Maybe[str | None]:
    """Return what the visit is for: serviceType, appointmentType, the slot's, serviceCategory."""
    concepts = [*(appointment.serviceType or []), appointment.appointmentType]
    for slot in _slots(appointment, message):
        concepts += [*(slot.serviceType or []), slot.appointmentType]
    concepts += appointment.serviceCategory or []
    return next((text for concept in concepts if (text := _concept(concept, "serviceType")) is not None), UNSET)


def _concept(concept: Any, place: str) -> str | None:
    if concept is None:
        return None
    coding = next(iter(concept.coding or []), None)
    text = concept.text or (coding and (coding.display or coding.code))
    return None if not text else texts.name(text, f"Appointment.{place}")


def _instant(at: Any, place: str) -> datetime | None:
    if at is None:
        return None
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise Refused("NAIVE_TIME", "an instant of FHIR has an offset", f"Appointment.{place}")
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", f"Appointment.{place}")
    return at.astimezone(UTC)
