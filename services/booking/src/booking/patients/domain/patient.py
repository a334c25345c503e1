"""A patient as booking holds him, and what a message says of one."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from booking.safety.domain import Cause, FlagChange
from booking.values import contacts, texts
from booking.values.warned import Details
from schemas.appointments import Bar
from schemas.planning import barred_by


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A patient as a booking message describes him; None is not said.

    Contacts are as written: they are read by the country of the clinic.

    Attributes:
        old_mobiles: Numbers that are his no more: he who has one of them has it taken away, if no other is said.
        old_emails: The same of addresses.
    """

    given_name: str | None = None
    family_name: str | None = None
    mobile: str | None = None
    email: str | None = None
    language: str | None = None
    deceased: bool | None = None
    old_mobiles: tuple[str, ...] = ()
    old_emails: tuple[str, ...] = ()


_DETAILS = tuple(detail.name for detail in fields(PersonDetails) if not detail.name.startswith("old_"))

PATIENT_FLAGS = ("consent", "do_not_contact", "deceased")
"""Fields of a patient that change only when they are named (D51)."""


@dataclass(frozen=True, slots=True)
class PatientState:
    """A patient. Version 0: only mentioned by a booking, never registered; then there is no main file (D5).

    Attributes:
        merged_into: The same person's other file, which is kept (D44).
    """

    patient_id: UUID
    version: int = 0
    main_file: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    language: str | None = None
    mobile: str | None = None
    email: str | None = None
    consent: bool = True
    do_not_contact: bool = False
    deceased: bool = False
    merged_into: UUID | None = None

    @property
    def barred(self) -> Bar | None:
        """Why no message may go to him (D44), or None."""
        return barred_by(deceased=self.deceased, do_not_contact=self.do_not_contact, consent=self.consent)

    @property
    def is_registered(self) -> bool:
        """Whether the patient was ever registered."""
        return self.version > 0


def read_by(person: PersonDetails, country: str | None, details: Details) -> PersonDetails:
    """Return what a message says of a patient, as it is kept; what cannot be kept is not said."""

    def text(value: str | None, place: str) -> str | None:
        return None if value is None else details.read(None, texts.name, value, place)

    return replace(
        person,
        given_name=text(person.given_name, "patient.given"),
        family_name=text(person.family_name, "patient.family"),
        language=text(person.language, "patient.language"),
        mobile=None
        if person.mobile is None
        else details.read(None, contacts.mobile, person.mobile, country, "patient.phone"),
        email=None if person.email is None else details.read(None, contacts.email, person.email, "patient.email"),
        old_mobiles=_readable(contacts.mobile, person.old_mobiles, country, "patient.phone"),
        old_emails=_readable(contacts.email, person.old_emails, "patient.email"),
    )


def _readable(read: Callable[..., str], written: tuple[str, ...], *args: str | None) -> tuple[str, ...]:
    """Return those that can be read: what cannot was never kept, so it need not be taken away."""
    unheard = Details()
    found = (unheard.read(None, read, one, *args) for one in written)
    return tuple(one for one in found if one is not None)


def completed(held: PatientState, person: PersonDetails) -> PatientState:
    """Return the patient with what a message says of him; what it does not say stays, what is old goes (D51)."""
    gone: dict[str, Any] = {"mobile": None} if held.mobile in person.old_mobiles else {}
    gone |= {"email": None} if held.email in person.old_emails else {}
    said = {name: getattr(person, name) for name in _DETAILS if getattr(person, name) is not None}
    return replace(held, **gone | said)


def safer(kept: PatientState, away: PatientState) -> PatientState:
    """Return the patient who is kept with the safer value of each flag of two files that are one person's (D44)."""
    return replace(
        kept,
        consent=kept.consent and away.consent,
        do_not_contact=kept.do_not_contact or away.do_not_contact,
        deceased=kept.deceased or away.deceased,
    )


def flag_changes(before: PatientState, after: PatientState, cause: Cause) -> list[FlagChange]:
    """Return what changed of a patient's flags."""
    return [
        FlagChange("patient", str(after.patient_id), flag, getattr(before, flag), getattr(after, flag), cause)
        for flag in PATIENT_FLAGS
        if getattr(before, flag) != getattr(after, flag)
    ]


NOBODY = PatientState(UUID(int=0))
