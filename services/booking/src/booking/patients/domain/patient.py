"""A patient as booking holds him, and what messages make of him."""

from dataclasses import dataclass, replace
from uuid import UUID

from booking.patients.domain.details import KeptDetails
from booking.safety.domain import Cause, FlagChange
from schemas.appointments import Bar
from schemas.people import ContactOf
from schemas.planning import barred_by

_SAID = ("given_name", "family_name", "language", "consent", "do_not_contact", "deceased")

PATIENT_FLAGS = ("consent", "do_not_contact", "deceased")
"""Fields of a patient that change only when they are named (D51)."""


@dataclass(frozen=True, slots=True)
class PatientState:
    """A patient. Version 0: only mentioned by a booking, never registered; then there is no main file (D5).

    Attributes:
        contact_of: Whose mobile and email are, if not the patient's own: then messages do not greet him.
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
    contact_of: ContactOf | None = None
    merged_into: UUID | None = None

    @property
    def barred(self) -> Bar | None:
        """Why no message may go to him (D44), or None."""
        return barred_by(deceased=self.deceased, do_not_contact=self.do_not_contact, consent=self.consent)

    @property
    def is_registered(self) -> bool:
        """Whether the patient was ever registered."""
        return self.version > 0


def completed(held: PatientState, person: KeptDetails) -> PatientState:
    """Return the patient with what a message says of him; what it does not say stays, what is former goes (D51)."""
    said = {name: getattr(person, name) for name in _SAID if getattr(person, name) is not None}
    mobile, email, contact_of = _addresses(held, person)
    said.setdefault("language", held.language or person.language_otherwise)
    return replace(held, **said, mobile=mobile, email=email, contact_of=contact_of)


def _addresses(held: PatientState, person: KeptDetails) -> tuple[str | None, str | None, ContactOf | None]:
    """Return mobile, email and whose they are: a guardian's only where the patient has none of his own (D54)."""
    former = person.former | (person.guardians_former if held.contact_of is not None else frozenset())
    is_own = held.contact_of is None
    mobile = None if person.refuses_texts or (is_own and person.has_no_mobile) or held.mobile in former else held.mobile
    email = None if person.refuses_mail or (is_own and person.has_no_email) or held.email in former else held.email
    is_reached = mobile is not None or email is not None
    if person.mobile is None and person.email is None:
        return mobile, email, held.contact_of if is_reached else None
    if is_reached and person.contact_of is not None and held.contact_of is None:
        return mobile, email, None
    if person.contact_of == held.contact_of:
        return person.mobile or mobile, person.email or email, held.contact_of
    return person.mobile, person.email, person.contact_of


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
