"""From FHIR R4 resources to commands. The table of every field is in the service's README."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.formats.fhir_r4.people import person_of
from booking.formats.fhir_r4.person_names import full_name
from booking.formats.fhir_r4.places import note_person, note_visit
from booking.formats.fhir_r4.practitioners import provider as provider_of
from booking.formats.fhir_r4.references import Message, unversioned
from booking.values import texts
from booking.values.kept_names import kept_names, trimmed
from booking.values.refusals import Refused
from booking.values.times import FIRST_YEAR, LAST_YEAR
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Details
from schemas.appointments import Status

_PLACES = ("HealthcareService", "Location")
_RECEIVERS = ("Practitioner", "PractitionerRole", "Organization")
"""Types of MessageHeader.destination.receiver."""


def command(
    appointment: Any,
    message: Message,
    details: Details,
    *,
    client: str,
    source: str,
    key: str,
    body_sha256: bytes,
    now: datetime,
) -> BookAppointment:
    """Return the command that an Appointment and what came with it stand for; details that cannot be kept are noted.

    Args:
        now: Of lists of names, addresses and roles what is valid then is taken.

    Raises:
        Refused: NO_PATIENT, SEVERAL_PATIENTS, NO_APPOINTMENT_ID, or an id or the start is not acceptable.
    """
    message = message.containing(appointment)
    patient, resource = _patient(appointment, message, details)
    if details.trail is not None:
        note_visit(appointment, resource, details)
    patients = _essential_names(patient, details, _PATIENT)
    names = _names(appointment, message, details)
    provider, others, name = _provider(appointment, message, details, now)
    lenient = details.read
    status = _status(appointment.status)
    start = (appointment.start, "start")
    starts_at = lenient(UNSET, _instant, *start) if status in NEEDS_NO_START else _instant(*start)
    reason = lenient(None, _concept, appointment.cancelationReason, "cancelationReason")
    person = None if resource is None else person_of(resource, now)
    if person is not None and details.trail is not None:
        note_person(person, details)
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
        clinic_identifiers=tuple(dict.fromkeys(_clinic(appointment, message, details))),
        provider=provider,
        provider_name=None if name is None else lenient(None, texts.name, name, "Practitioner.name"),
        service_type=lenient(UNSET, _service, appointment, message, details),
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
    """Return its names: identifiers and id, the message's focus if there is neither."""
    found = message.names_of_its_own(appointment) or [message.focus or ""]
    if not found[0]:
        raise Refused("NO_APPOINTMENT_ID", "the Appointment has neither identifier nor id", _NAMES)
    return _essential_names(found, details, _NAMES)


def _essential_names(found: list[str], details: Details, place: str) -> tuple[str, ...]:
    """Return the names that can be kept; one is enough, and none is refused for the first's sake."""
    return kept_names(found, details, place) or (texts.identifier(trimmed(found[0]), place),)


def _actors(participants: list[Any], message: Message, kind: str) -> Iterator[tuple[Any, Any]]:
    """Yield (reference, resource or None) of the participants of one type."""
    for participant in participants:
        reference = participant.actor
        if reference is not None and message.kind(reference) == kind:
            yield reference, message.resolve(reference)


def _coming(appointment: Any) -> list[Any]:
    return [participant for participant in appointment.participant or [] if participant.status != "declined"]


type _Person = tuple[list[str], Any]
"""A patient's names, and his resource or None."""


def _patient(appointment: Any, message: Message, details: Details) -> _Person:
    """Return the one patient.

    One who declined counts only where no other is: his cancellation names him so.
    """
    everyone = appointment.participant or []
    for participants in (_coming(appointment), everyone):
        people = _people(participants, message)
        if len(people) > 1:
            text = "one appointment is one patient's: send one for each"
            raise Refused("SEVERAL_PATIENTS", text, "Appointment.participant")
        for names, resource in people:
            return list(dict.fromkeys(names)), resource
    # a single resource whose only actor is not typed: UK Core's own example
    if message.header is None and details.doubted is None:
        untyped = [p.actor for p in everyone if p.actor is not None and p.actor.reference]
        if len(untyped) == 1 and _is_random(str(untyped[0].reference)):
            return [str(untyped[0].reference)], None
    text = "no participant is a Patient with an identity of his own"
    raise details.doubted or Refused("NO_PATIENT", text, "Appointment.participant")


def _people(participants: list[Any], message: Message) -> list[_Person]:
    """Return the patients; who has the same reference or the same first name is one.

    `Patient/1` and the absolute URL of the same are one reference.
    """
    named: list[tuple[str, _Person]] = []
    for reference, resource in _actors(participants, message, "Patient"):
        names = message.names_of(reference) or [text for text in (unversioned(reference),) if _is_random(text)]
        if names := [trimmed(name) or name for name in names]:
            named.append((unversioned(reference) or names[0], (names, resource)))

    def whole(text: str) -> str:
        return next((other for other, _ in named if "/" in text and other.endswith(f"/{text}")), text)

    best_first = sorted(named, key=lambda one: (one[1][1] is None, whole(one[0]) != one[0]))
    by_reference = _joined((whole(text), person) for text, person in best_first)
    return list(_joined((person[0][0], person) for person in by_reference.values()).values())


def _is_random(text: str) -> bool:
    """Say whether a reference is a UUID: of a patient of whom nothing else is known that is better than none."""
    return text.startswith("urn:uuid:")


def _joined(people: Iterable[tuple[str, _Person]]) -> dict[str, _Person]:
    """Return the people by what they are known by: who is known by the same is one."""
    found: dict[str, _Person] = {}
    for key, (names, resource) in people:
        names_before, resource_before = found.get(key, ([], None))
        found[key] = [*names_before, *names], resource_before or resource
    return found


def _provider(
    appointment: Any, message: Message, details: Details, now: datetime
) -> tuple[Maybe[str | None], tuple[str, ...], str | None]:
    """Return the practitioner's first name and further ones, and what he is called.

    It is the participant, else the Schedule's actor.
    """
    found = provider_of(_coming(appointment), _schedule_actors(appointment, message), message, details, now)
    if found is None:
        return UNSET, (), None
    names = kept_names(found.names, details, _PROVIDER)
    called = full_name(getattr(found.resource, "name", None), now) or found.display
    details.took("provider", "Appointment.participant.actor", "", "the practitioner who sees the patient")
    if called is not None:
        details.took("provider_name", "Practitioner.name")
    return (names[0] if names else UNSET), names[1:], called


def _slots(appointment: Any, message: Message) -> Iterator[Any]:
    for reference in appointment.slot or []:
        if (slot := message.resolve_as(reference, "Slot")) is not None:
            yield slot


def _schedule_actors(appointment: Any, message: Message) -> Iterator[Any]:
    for slot in _slots(appointment, message):
        schedule = message.resolve_as(slot.schedule, "Schedule")
        yield from (schedule.actor or []) if schedule is not None else ()


def _clinic(appointment: Any, message: Message, details: Details) -> Iterator[tuple[str, str]]:
    """Yield what may stand for the clinic, best first: service, place, then where the message goes."""
    for kind in _PLACES:
        for reference, resource in _actors(appointment.participant or [], message, kind):
            details.took("clinic", "Appointment.participant.actor", "", f"an identifier of its {kind}")
            yield from _names_of(reference, resource)
    for reference in _schedule_actors(appointment, message):
        resource = message.resolve_as(reference, *_PLACES)
        if resource is not None:
            details.took("clinic", "Schedule.actor", "", "an identifier of the place")
            yield from _names_of(reference, resource)
    for destination in (message.header.destination or []) if message.header is not None else ():
        details.took("clinic", "MessageHeader.destination", "", "where the message goes")
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


def _service(appointment: Any, message: Message, details: Details) -> Maybe[str | None]:
    """Return what the visit is for: serviceType, appointmentType, the slot's, serviceCategory."""
    for place, concept in _services(appointment, message):
        if (text := _concept(concept, "serviceType")) is not None:
            details.took("service_type", place)
            return text
    return UNSET


def _services(appointment: Any, message: Message) -> Iterator[tuple[str, Any]]:
    for name, owner in (("Appointment", appointment), *(("Slot", slot) for slot in _slots(appointment, message))):
        yield from ((f"{name}.serviceType", one) for one in owner.serviceType or [])
        yield f"{name}.appointmentType", owner.appointmentType
    yield from (("Appointment.serviceCategory", one) for one in appointment.serviceCategory or [])


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
