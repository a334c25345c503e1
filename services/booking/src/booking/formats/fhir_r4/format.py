"""FHIR R4 behind the port: a booking message, or one Appointment."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from booking.appointments.domain.command import BookAppointment
from booking.door.strict_json import canonical_hash, event_json, loose_json
from booking.formats.fhir_r4 import mapping, resources
from booking.formats.fhir_r4.lists import with_whole_lists
from booking.formats.fhir_r4.references import Message, unversioned
from booking.formats.port import Hints, Parsed
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.warned import Details

FHIR_JSON = "application/fhir+json"

BOOKING_EVENTS = frozenset({"booking-request"})
"""Codes of MessageHeader.eventCoding that are about a booking."""

_HASH = "a hash of the body: it names no event"


class FhirR4:
    """`port.Format` of FHIR R4: a message Bundle, else one Appointment."""

    media_types = (FHIR_JSON,)
    topic_content_types = (FHIR_JSON,)
    openapi: Mapping[str, Any] = {"schema": {"type": "object"}}

    def parse(self, body: bytes, hints: Hints) -> Parsed:
        """See `port.Format`."""
        value = event_json(body)
        is_bundle = isinstance(value, dict) and value.get("resourceType") == "Bundle"
        return Parsed([_of_message(value, hints) if is_bundle else _of_appointment(value, hints)])

    def event_id(self, body: bytes) -> str | None:
        """See `port.Format`: as a message or an Appointment that is taken, as far as it can be read."""
        value = loose_json(body)
        kind = value.get("resourceType") if isinstance(value, dict) else None
        said = _said_id(value) if kind == "Bundle" else None
        return said or (_hashed(canonical_hash(event_json(body))) if kind in {"Bundle", "Appointment"} else None)


def parse_message(body: bytes, hints: Hints) -> Parsed:
    """Return the command in a message Bundle, and of nothing else."""
    return Parsed([_of_message(event_json(body), hints)])


def parse_appointment(body: bytes, hints: Hints) -> Parsed:
    """Return the command in one Appointment, and of nothing else."""
    return Parsed([_of_appointment(event_json(body), hints)])


def _of_appointment(value: Any, hints: Hints) -> BookAppointment:
    """Its key is the header Idempotency-Key, else the hash of the body: the same resource is the same event."""
    digest = canonical_hash(value)
    details = Details(trail=hints.trail())
    with_whole_lists(value)
    with details.beside_refusals():
        found = resources.appointment(value, details)
        meant = hints.meant()
        key = hints.key or _hashed(digest)
        details.took("key", "", "", "the header Idempotency-Key" if hints.key else _HASH)
        client = hints.client.client_id
        named = {"client": client, "source": meant.source, "key": key}
        read = mapping.command(found, Message(hints.now), details, **named, body_sha256=digest, now=hints.now)
        return _otherwise(read, meant.profile, details)


def _of_message(value: Any, hints: Hints) -> BookAppointment:
    """MessageHeader first, its focus an Appointment.

    Its key is the header Idempotency-Key, else MessageHeader.id, else Bundle.id, else the hash of the body.
    """
    digest = canonical_hash(value)
    details = Details(trail=hints.trail())
    with_whole_lists(value)
    with details.beside_refusals():
        return _in_message(resources.message(value, details), digest, details, hints)


def _in_message(bundle: Any, digest: bytes, details: Details, hints: Hints) -> BookAppointment:
    header, by_reference = _unpacked(bundle)
    focus, appointment = _focus(header, by_reference)
    resources.check_invariants(appointment, "Appointment", details)
    key = hints.key or header.id or bundle.id or _hashed(digest)
    if not hints.key and (header.id or bundle.id):
        details.took("key", "MessageHeader.id" if header.id else "Bundle.id")
    else:
        details.took("key", "", "", "the header Idempotency-Key" if hints.key else _HASH)
    meant = hints.meant()
    read = mapping.command(
        appointment,
        Message(hints.now, by_reference, header, focus),
        details,
        client=hints.client.client_id,
        source=meant.source,
        key=str(key),
        now=hints.now,
        body_sha256=digest,
    )
    return _otherwise(read, meant.profile, details)


def _otherwise(read: BookAppointment, profile: Profile, details: Details) -> BookAppointment:
    """Return a command in which the source's profile says what FHIR does not."""
    person = read.person
    if person is not None:
        person = replace(person, country=profile.country, language_otherwise=profile.language)
        for knob in ("country", "language"):
            if getattr(profile, knob) is not None:
                details.took(f"person.{knob}", "", knob, "where nothing else says it")
    return read._replace(mode=profile.mode, clinic_otherwise=profile.clinic, person=person)


def _hashed(digest: bytes) -> str:
    return f"sha256:{digest.hex()}"


def _said_id(bundle: dict[str, Any]) -> Any:
    """Return MessageHeader.id, else Bundle.id, of a message whatever else is wrong with it."""
    entries = bundle.get("entry")
    first = entries[0] if isinstance(entries, list) and entries else None
    header = first.get("resource") if isinstance(first, dict) else None
    return (header.get("id") if isinstance(header, dict) else None) or bundle.get("id")


def _unpacked(bundle: Any) -> tuple[Any, dict[str, Any]]:
    entries = [entry for entry in bundle.entry or [] if entry.resource is not None]
    if not entries or entries[0].resource.get_resource_type() != "MessageHeader":
        raise Refused("NOT_A_MESSAGE", "the first entry of a message is its MessageHeader", "Bundle.entry[0]")
    by_reference: dict[str, Any] = {}
    for entry in entries:
        resource = entry.resource
        if entry.fullUrl:
            by_reference[str(entry.fullUrl)] = resource
        if resource.id:
            by_reference[f"{resource.get_resource_type()}/{resource.id}"] = resource
    return entries[0].resource, by_reference


def _focus(header: Any, by_reference: dict[str, Any]) -> tuple[str, Any]:
    event = header.eventCoding.code if header.eventCoding is not None else None
    if event not in BOOKING_EVENTS:
        raise Refused("UNKNOWN_MESSAGE_EVENT", "not a booking-request", "MessageHeader.eventCoding")
    for reference in header.focus or []:
        resource = by_reference.get(unversioned(reference))
        if resource is not None and resource.get_resource_type() == "Appointment":
            return unversioned(reference), resource
    raise Refused("NO_APPOINTMENT", "the message's focus is no Appointment in it", "MessageHeader.focus")
