"""What a file says of whether a patient may be written to: a no holds, a yes lifts nothing, and nobody guesses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.formats.maps.fields import said_by
from booking.formats.port import Hints
from booking.formats.separated.format import SeparatedValues
from booking.patients.domain.details import read_by
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.values.refusals import Refused
from booking.values.trail import Trail
from booking.values.warned import Details
from tests.support.booking.builders import LOCAL, NOW

BOTH = {"mobile": "+61491570156", "email": "ada@example.org"}
NO_TEXTS, NO_MAIL = {"mobile": None, "refuses_texts": True}, {"email": None, "refuses_mail": True}
NO_CONSENT, NO_CONTACT = {"consent": False}, {"do_not_contact": True}

CASES: dict[tuple[str, str], dict[str, Any] | str] = {
    ("PermissionToSendSMS", "0"): NO_TEXTS,
    ("PermissionToSendSMS", "1"): {},
    ("PermissionToSendSMS", ""): {},
    ("PermissionToSendSMS", "NULL"): {},
    ("PermissionToSendSMS", "2"): "UNKNOWN_VALUE may_text",
    ("ConsentToText", "No"): NO_TEXTS,
    ("ConsentToText", "refused"): "UNKNOWN_VALUE may_text",
    ("SMSConsent", "FALSE"): NO_TEXTS,
    ("SMS Consent", "yes"): {},
    ("SmsOptOut", "Y"): NO_TEXTS,
    ("Do Not Text", "0"): {},
    ("Do Not Text", "since May"): "UNKNOWN_VALUE do_not_text",
    ("EmailConsent", "n"): NO_MAIL,
    ("EmailConsent", "true"): {},
    ("EmailConsent", "?"): "UNKNOWN_VALUE may_email",
    ("DoNotEmail", "x"): NO_MAIL,
    ("ConsentToContact", "0"): NO_CONSENT,
    ("ConsentToContact", "1"): {},
    ("ConsentToContact", "withdrawn"): "UNKNOWN_VALUE consent",
    ("DoNotContact", "1"): NO_CONTACT,
    ("DoNotContact", "0"): {},
    ("OptOut", "Yes"): NO_CONTACT,
    ("opt_out", "no"): {},
    ("OptOut", "SMS"): "UNKNOWN_VALUE do_not_contact",
    ("SMSConsent,TextConsent", "1,0"): NO_TEXTS,
    ("SMSConsent,SMSConsent", "1,0"): NO_TEXTS,
    ("SMSConsent,SmsOptOut", "1,1"): NO_TEXTS,
    ("SMSConsent,EmailConsent,OptOut", "0,0,1"): NO_TEXTS | NO_MAIL | NO_CONTACT,
}


def read(
    columns: str, words: str, csv: Mapping[str, Any] | None = None, trails: list[Trail] | None = None
) -> BookAppointment | Refused:
    profile = Profile.model_validate({"zone": "Australia/Sydney", "country": "AU", "csv": csv})
    hints = replace(Hints(LOCAL, NOW), profiles=Profiles.fixed({"local": profile}), trails=trails)
    text = f"MRN,Start,Mobile,Email,{columns}\np1,2027-07-27T15:30,61491570156,ada@example.org,{words}\n"
    (found,) = SeparatedValues().parse(text.encode(), hints).commands
    assert isinstance(found, BookAppointment | Refused)
    return found


def kept(found: BookAppointment | Refused) -> dict[str, Any] | str:
    """Return what differs from a patient who may be written to anywhere."""
    if isinstance(found, Refused):
        return f"{found.code} {found.place}"
    assert found.person is not None
    person = read_by(found.person, None, Details())
    usual = {**BOTH, "consent": None, "do_not_contact": None, "refuses_texts": False, "refuses_mail": False}
    return {name: said for name, value in usual.items() if (said := getattr(person, name)) != value}


@pytest.mark.parametrize(("columns", "words"), CASES)
def test_a_column_of_wishes_says_what_is_refused(columns: str, words: str) -> None:
    assert kept(read(columns, words)) == CASES[columns, words]


OWN = {"patient_id": "MRN", "start": "Start", "mobile": "Mobile", "email": "Email"}
PROFILED: dict[str, tuple[str, str, dict[str, Any], dict[str, Any] | str]] = {
    "its own name": ("Handy ok", "0", {"columns": {**OWN, "may_text": "Handy ok"}}, NO_TEXTS),
    "by its number": ("Sperre", "1", {"columns": {**OWN, "do_not_contact": 5}}, NO_CONTACT),
    "a profile that names only others": ("SMSConsent", "0", {"columns": OWN}, NO_TEXTS),
    "a usual name that is said to be something else": ("OptOut", "Ada", {"columns": {**OWN, "given_name": 5}}, {}),
    "another is named for it": (
        "SMSConsent,Handy ok", "0,1", {"columns": {**OWN, "may_text": "Handy ok"}}, {},
    ),
    "its own words": ("SMSConsent", "Nein", {"true_words": ["Ja"], "false_words": ["Nein"]}, NO_TEXTS),
    "no word of its own": ("SMSConsent", "0", {"true_words": ["Ja"], "false_words": ["Nein"]},
        "UNKNOWN_VALUE may_text"),
    "a word that is both": ("SMSConsent", "0", {"true_words": ["0"]}, NO_TEXTS),
}  # fmt: skip


@pytest.mark.parametrize("case", PROFILED)
def test_a_profile_says_which_column_and_which_words(case: str) -> None:
    columns, words, csv, expected = PROFILED[case]

    assert kept(read(columns, words, csv)) == expected


def test_what_is_refused_is_explained_by_its_column() -> None:
    trails: list[Trail] = []
    found = read("SMSConsent,EmailConsent,OptOut,ConsentToContact", "0,0,1,0", trails=trails)
    assert isinstance(found, BookAppointment)

    places = {(took.field, took.place) for took in trails[0]}
    assert {
        ("person.mobile", "may_text"),
        ("person.email", "may_email"),
        ("person.do_not_contact", "do_not_contact"),
        ("person.consent", "consent"),
    } <= places
    shown = {field: said for field, said in said_by(found).items() if field.startswith("person.")}
    assert shown == {
        "person.mobile": (), "person.email": (), "person.country": ("AU",),
        "person.consent": ("false",), "person.do_not_contact": ("true",),
    }  # fmt: skip
