"""What a message writes of a patient, and what of it can be kept (0038, D54)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from booking.values import contacts, texts
from booking.values.refusals import Refused
from booking.values.warned import Details, dropped
from schemas.appointments import Bar
from schemas.people import ContactOf
from schemas.planning import barred_by

GUARDIAN: ContactOf = "guardian"

MOST_TRIED = 20
"""Addresses of one kind that are looked at; of more the best ones, and the others are named."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Mobile numbers and email addresses as written, best first."""

    mobiles: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonDetails:
    """A patient as a booking message describes him; None is not said.

    Attributes:
        own: His addresses, as written: they are read by the country of the clinic.
        guardians: Those of whoever answers for him, which count where he has none.
        former: What is said to be his address no more.
        guardians_former: The same of those of others.
        has_no_mobile: It is said that he has none, whatever it was; a mobile that is said beside it counts.
        has_no_email: The same of his email.
        consent: False: he consents to no message; what a yes says is not held.
        do_not_contact: True: nobody writes to him.
        refuses_texts: No mobile is kept of him, his own or another's.
        refuses_mail: The same of his email.
        country: By which national numbers are read where the clinic has none.
        language_otherwise: That of one whose language nobody ever told.
    """

    given_name: str | None = None
    family_name: str | None = None
    own: Addresses = Addresses()
    guardians: Addresses = Addresses()
    former: Addresses = Addresses()
    guardians_former: Addresses = Addresses()
    language: str | None = None
    deceased: bool | None = None
    has_no_mobile: bool = False
    has_no_email: bool = False
    consent: Literal[False] | None = None
    do_not_contact: Literal[True] | None = None
    refuses_texts: bool = False
    refuses_mail: bool = False
    country: str | None = None
    language_otherwise: str | None = None


@dataclass(frozen=True, slots=True)
class KeptDetails:
    """What of it can be kept; None is not said.

    Attributes:
        contact_of: Whose the addresses are, if not the patient's own.
        former: Addresses that are his no more, in normal form.
        guardians_former: Those of others that are theirs no more.
        has_no_mobile: He has none, whatever it was.
        has_no_email: The same of his email.
        consent: False: he consents to no message.
        do_not_contact: True: nobody writes to him.
        refuses_texts: No mobile is kept of him, his own or another's.
        refuses_mail: The same of his email.
        language_otherwise: That of one whose language nobody ever told.
    """

    given_name: str | None = None
    family_name: str | None = None
    mobile: str | None = None
    email: str | None = None
    language: str | None = None
    deceased: bool | None = None
    contact_of: ContactOf | None = None
    former: frozenset[str] = frozenset()
    guardians_former: frozenset[str] = frozenset()
    has_no_mobile: bool = False
    has_no_email: bool = False
    consent: Literal[False] | None = None
    do_not_contact: Literal[True] | None = None
    refuses_texts: bool = False
    refuses_mail: bool = False
    language_otherwise: str | None = None

    @property
    def barred(self) -> Bar | None:
        """Why no message may go to him by what is said here alone, or None."""
        return barred_by(
            deceased=self.deceased is True, do_not_contact=self.do_not_contact is True, consent=self.consent is None
        )


def read_by(person: PersonDetails, country: str | None, details: Details) -> KeptDetails:
    """Return what a message says of a patient, as it is kept; what cannot be kept is not said.

    Args:
        country: The clinic's, by which national numbers are read; None if nobody knows it.
    """
    country = country or person.country

    def text(value: str | None, place: str) -> str | None:
        return None if value is None else details.read(None, texts.name, value, place)

    given, family = text(person.given_name, "patient.given"), text(person.family_name, "patient.family")
    mobile, email = _first_good(person.own, country, details, "patient")
    by_guardian = mobile is None and email is None
    if by_guardian:
        mobile, email = _first_good(person.guardians, country, details, "patient.contact")
    return KeptDetails(
        given_name=given,
        family_name=family,
        mobile=mobile,
        email=email,
        language=text(person.language, "patient.language"),
        deceased=person.deceased,
        contact_of=GUARDIAN if by_guardian and (mobile or email) else None,
        former=_normal(person.former, country),
        guardians_former=_normal(person.guardians_former, country),
        has_no_mobile=person.has_no_mobile,
        has_no_email=person.has_no_email,
        consent=person.consent,
        do_not_contact=person.do_not_contact,
        refuses_texts=person.refuses_texts,
        refuses_mail=person.refuses_mail,
        language_otherwise=text(person.language_otherwise, "patient.language"),
    )


def _first_good(
    addresses: Addresses, country: str | None, details: Details, place: str
) -> tuple[str | None, str | None]:
    def mobile(written: str) -> str:
        return contacts.mobile(written, country, f"{place}.phone")

    def email(written: str) -> str:
        return contacts.email(written, f"{place}.email")

    def first(read: Callable[[str], str], written: tuple[str, ...], kind: str) -> str | None:
        for one in written[:MOST_TRIED]:
            if (good := details.read(None, read, one)) is not None:
                return good
        if (others := len(written) - MOST_TRIED) > 0:
            text = f"none of {MOST_TRIED} addresses is good, and {others} more were not looked at"
            details.warnings.append(dropped(Refused("TOO_MANY_ADDRESSES", text, f"{place}.{kind}")))
        return None

    return first(mobile, addresses.mobiles, "phone"), first(email, addresses.emails, "email")


def _normal(former: Addresses, country: str | None) -> frozenset[str]:
    """Return former addresses in the form in which they may be held; what cannot be read never was."""
    unheard = Details()
    mobiles = (unheard.read(None, contacts.mobile, one, country, "patient.phone") for one in former.mobiles)
    emails = (unheard.read(None, contacts.email, one, "patient.email") for one in former.emails)
    return frozenset(one for one in (*mobiles, *emails) if one is not None)
