"""What FHIR resources say of people, as far as it is valid now and fits: of a list never simply the first (D54)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from booking.formats.fhir_r4.periods import begins, is_current, is_over
from booking.formats.fhir_r4.person_names import parts_of
from booking.patients.domain.details import Addresses, PersonDetails

SELF = "ONESELF"
"""v3-RoleCode of a Patient.contact that is the patient himself; BaRS puts his phone there."""

_GUARDIANS = frozenset({"GUARDIAN", "GUARD", "GUADLTM", "GRD", "HPOWATT", "LEGAL GUARDIAN"})
"""Who answers for a person of any age: v3-RoleCode and RoleClass, v2-0063, DSTU2's codes, or the words themselves."""

_PARENTS = frozenset(
    {"PRN", "MTH", "FTH", "NPRN", "NMTH", "NFTH", "ADOPTP", "ADOPTM", "ADOPTF", "STPPRN", "STPMTH", "STPFTH"}
    | {"PRNFOST", "MTHFOST", "FTHFOST", "PAR", "PARENT", "MOTHER", "FATHER"}
)
"""Who answers for a child: not for a grown-up, or whose age nobody knows, whose visits are not his mother's concern."""

_NEXT_OF_KIN = frozenset({"N", "NEXT OF KIN"})
"""Of a child that is one who answers for him; of whom else it may be anybody."""

OF_AGE = 18
_LAST_RANK = 99


def person_of(patient: Any, now: datetime) -> PersonDetails:
    """Return what a Patient says of himself, and how those are reached who answer for him."""
    given, family = parts_of(patient.name, now)
    everyone = [(contact, SELF in _roles(contact)) for contact in patient.contact or []]
    contacts = [contact for contact, _ in everyone if is_current(contact.period, now)]
    left = [contact for contact, is_self in everyone if not is_self and is_over(contact.period, now)]
    points = [*(patient.telecom or []), *_points(c for c in contacts if SELF in _roles(c))]
    return PersonDetails(
        given_name=given,
        family_name=family,
        own=_addresses(points, now),
        guardians=_addresses(_points(c for c in contacts if _answers(c, patient.birthDate, now)), now),
        former=_former(points, now),
        guardians_former=_joined(
            _former(_points(c for c, is_self in everyone if not is_self), now), _all(_points(left))
        ),
        language=_language(patient),
        deceased=True if patient.deceasedDateTime is not None else patient.deceasedBoolean,
    )


def _points(contacts: Iterable[Any]) -> list[Any]:
    return [point for contact in contacts for point in contact.telecom or []]


def _addresses(points: Sequence[Any], now: datetime) -> Addresses:
    """Return the addresses that count, best first: mobile phones before others, then by rank, then as listed."""
    usable = [p for p in points if p.value and p.use != "old" and is_current(p.period, now)]
    phones = sorted(_phones(usable), key=lambda p: (_system(p) != "sms" and p.use != "mobile", p.rank or _LAST_RANK))
    emails = sorted(_emails(usable), key=lambda p: p.rank or _LAST_RANK)
    return Addresses(_values(phones), _values(emails))


def _former(points: Sequence[Any], now: datetime) -> Addresses:
    """Return the addresses that are said not to be his any more."""
    return _all([p for p in points if p.use == "old" or is_over(p.period, now)])


def _all(points: Sequence[Any]) -> Addresses:
    given = [point for point in points if point.value]
    return Addresses(_values(_phones(given)), _values(_emails(given)))


def _joined(one: Addresses, other: Addresses) -> Addresses:
    return Addresses(one.mobiles + other.mobiles, one.emails + other.emails)


def _phones(points: Iterable[Any]) -> list[Any]:
    return [point for point in points if _system(point) in {"phone", "sms"}]


def _emails(points: Iterable[Any]) -> list[Any]:
    return [point for point in points if _system(point) == "email"]


def _system(point: Any) -> str:
    """Return what kind of address it is; one that does not say it is a mail's if it has an @, else a phone's."""
    return str(point.system or "").strip().lower() or ("email" if "@" in str(point.value) else "phone")


def _values(points: Iterable[Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(point.value) for point in points))


def _roles(contact: Any) -> set[str]:
    """Return what a Patient.contact is to the patient: codes of any system, and words, in capitals."""
    concepts = contact.relationship or []
    codes = {coding.code for concept in concepts for coding in concept.coding or []}
    return {str(code).strip().upper() for code in codes | {concept.text for concept in concepts} if code}


def _answers(contact: Any, born: Any, now: datetime) -> bool:
    """Say whether a Patient.contact answers for the patient."""
    roles = _roles(contact)
    is_child = born is not None and not _is_of_age(begins(born), now)
    return bool(roles & _GUARDIANS or (is_child and roles & (_PARENTS | _NEXT_OF_KIN)))


def _is_of_age(born: datetime, now: datetime) -> bool:
    return (born.year + OF_AGE, born.month, born.day) <= (now.year, now.month, now.day)


def _language(patient: Any) -> str | None:
    spoken = sorted(patient.communication or [], key=lambda c: not c.preferred)
    return next((coding.code for c in spoken if c.language for coding in c.language.coding or [] if coding.code), None)
