"""The fields of a command as they are shown: of what kind each is, what it holds, and where that came from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from booking.appointments.domain.command import BookAppointment
from booking.merges.told import ToldMerges
from booking.patients.domain.details import PersonDetails
from booking.patients.domain.patient import PATIENT_FLAGS
from booking.patients.domain.registrations import Registration
from booking.values.trail import Took, Trail
from booking.values.unset import UNSET, Maybe


class Kind(StrEnum):
    """What a field holds. The first six are shown by their shape, unless asked; clinics' codes as they are."""

    IDENTIFIER = "identifier"
    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    TEXT = "text"
    CLINIC = "clinic"
    INSTANT = "instant"
    EVENT = "event"
    WORD = "word"
    FLAG = "flag"
    NUMBER = "number"


MASKED = frozenset({Kind.IDENTIFIER, Kind.NAME, Kind.PHONE, Kind.EMAIL, Kind.TEXT, Kind.CLINIC})
"""What a sender wrote, and may say who somebody is or what he has."""


class Said(StrEnum):
    """What a message says of a field; one of which it says nothing is not shown."""

    VALUE = "value"
    TAKEN_AWAY = "taken away"
    NOT_KEPT = "not kept"


class Shown(NamedTuple):
    """One field.

    Attributes:
        said: Whether it has a value; not kept: something stood there that was dropped, or the message was refused.
        values: The values, best first: of whatever is known by several names each of them.
        origins: Where they were found.
    """

    field: str
    kind: Kind
    said: Said
    values: tuple[str, ...]
    origins: tuple[Took, ...]


_KINDS: Mapping[str, Kind] = {
    "key": Kind.EVENT,
    "source": Kind.WORD,
    "appointment": Kind.IDENTIFIER,
    "status": Kind.WORD,
    "keeps": Kind.WORD,
    "confirmed": Kind.FLAG,
    "mode": Kind.WORD,
    "sequence": Kind.NUMBER,
    "occurred_at": Kind.INSTANT,
    "starts_at": Kind.INSTANT,
    "ends_at": Kind.INSTANT,
    "patient": Kind.IDENTIFIER,
    "merged_away": Kind.IDENTIFIER,
    "clinic": Kind.CLINIC,
    "provider": Kind.IDENTIFIER,
    "provider_name": Kind.NAME,
    "service_type": Kind.TEXT,
    "reason": Kind.TEXT,
    "person.given_name": Kind.NAME,
    "person.family_name": Kind.NAME,
    "person.mobile": Kind.PHONE,
    "person.email": Kind.EMAIL,
    "person.language": Kind.WORD,
    "person.country": Kind.WORD,
    "person.deceased": Kind.FLAG,
    "person.consent": Kind.FLAG,
    "person.do_not_contact": Kind.FLAG,
}
"""Every field that is shown, in this order."""

_READ_BY = "person.country"
"""No value of a message: numbers are read by it."""


def shown(said: Mapping[str, tuple[str, ...]], trail: Trail) -> list[Shown]:
    """Return the fields that a message says with where they came from; of a refused one what was found of it."""
    origins: dict[str, list[Took]] = {}
    for one in dict.fromkeys(trail):
        origins.setdefault(one.field, []).append(one)
    return [
        _shown(field, kind, said.get(field), origins.get(field, ()))
        for field, kind in _KINDS.items()
        if field in said or (field in origins and field != _READ_BY)
    ]


def _shown(field: str, kind: Kind, values: tuple[str, ...] | None, origins: Sequence[Took]) -> Shown:
    if values is None:
        return Shown(field, kind, Said.NOT_KEPT, (), tuple(origins))
    return Shown(field, kind, Said.VALUE if values else Said.TAKEN_AWAY, values, tuple(origins))


def said_by(command: BookAppointment) -> dict[str, tuple[str, ...]]:
    """Return what a command says, by field; no value: it is taken away."""
    return dict(_said(command))


def said_of(registration: Registration) -> dict[str, tuple[str, ...]]:
    """Return what is told of a patient alone, by field; no value: it is taken away."""
    source, patient = registration.identity
    told = {name: getattr(registration.told, name) for name in registration.fields or ()}
    flags = {name: (_written(flag),) for name, flag in registration.flags.items()}
    of_person = {name: () if text is None else (str(text),) for name, text in told.items()} | flags
    return {"source": (source,), "patient": (patient,)} | {f"person.{name}": one for name, one in of_person.items()}


def said_of_merges(told: ToldMerges) -> dict[str, tuple[str, ...]]:
    """Return which records would be one: of each the best name, the one that is kept beside the one that is not."""
    source, _ = told.pairs[0].into[0]
    kept, away = (
        [names[0][1] for names in which] for which in zip(*((p.into, p.away) for p in told.pairs), strict=True)
    )
    return {"source": (source,), "patient": tuple(kept), "merged_away": tuple(away)}


def _said(command: BookAppointment) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "key", (command.key,)
    yield "source", (command.source,)
    yield "appointment", (command.appointment, *command.other_names)
    yield "status", (command.status.value,)
    yield "mode", (command.mode.value,)
    if command.keeps:
        yield "keeps", tuple(status.value for status in command.keeps)
    if command.sequence is not None:
        yield "sequence", (str(command.sequence),)
    if command.patient is not None:
        yield "patient", (command.patient, *command.patient_names)
    if clinic := _clinic(command):
        yield "clinic", clinic
    for field, text in (("provider_name", command.provider_name), ("reason", command.reason)):
        if text is not None:
            yield field, (text,)
    for field, maybe in _three_valued(command):
        if maybe is not UNSET:
            others = command.provider_names if field == "provider" else ()
            yield field, () if maybe is None else (_written(maybe), *others)
    if command.person is not None:
        yield from _person(command.person)


def _three_valued(command: BookAppointment) -> Iterator[tuple[str, Maybe[str | bool | datetime | None]]]:
    yield "confirmed", command.confirmed
    yield "occurred_at", UNSET if command.occurred_at is None else command.occurred_at
    yield "starts_at", command.starts_at
    yield "ends_at", command.ends_at
    yield "provider", command.provider
    yield "service_type", command.service_type


def _written(value: str | bool | datetime) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value).lower() if isinstance(value, bool) else value


def _clinic(command: BookAppointment) -> tuple[str, ...]:
    """Return the clinic's code, and what else may stand for it, best first."""
    otherwise = command.clinic_otherwise
    identifiers = (f"{system}|{value}" for system, value in command.clinic_identifiers)
    return (*((command.clinic,) if command.clinic else identifiers), *((otherwise,) if otherwise else ()))


def _person(person: PersonDetails) -> Iterator[tuple[str, tuple[str, ...]]]:
    names = (("given_name", person.given_name), ("family_name", person.family_name), ("country", person.country))
    for field, text in (*names, ("language", person.language or person.language_otherwise)):
        if text is not None:
            yield f"person.{field}", (text,)
    mobiles, emails = (*person.own.mobiles, *person.guardians.mobiles), (*person.own.emails, *person.guardians.emails)
    no_mobile, no_email = person.has_no_mobile or person.refuses_texts, person.has_no_email or person.refuses_mail
    for field, written, is_gone in (("mobile", mobiles, no_mobile), ("email", emails, no_email)):
        if written or is_gone:
            yield f"person.{field}", written
    for flag in PATIENT_FLAGS:
        if (said := getattr(person, flag)) is not None:
            yield f"person.{flag}", (_written(said),)


def hidden(kind: Kind, text: str) -> str:
    """Return a value that is not to be shown: by its shape, of an identifier with whose it is; a code as it is."""
    if kind not in {Kind.IDENTIFIER, Kind.CLINIC}:
        return shape(text)
    whose, bar, value = text.rpartition("|")
    return text if kind is Kind.CLINIC and not bar else f"{whose}{bar}{shape(value)}"


def shape(text: str) -> str:
    """Return how a text is written: a letter as x or X, a digit as 9, any other sign as it is."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if sign.isdigit():
        return "9"
    if sign.isalpha():
        return "X" if sign.isupper() else "x"
    return sign
