"""A message may say that a patient has no number any more without saying which one it was (D51)."""

from typing import Any
from uuid import UUID

import pytest

from booking.patients.domain.details import GUARDIAN, Addresses, PersonDetails, read_by
from booking.patients.domain.patient import PatientState, completed
from booking.values.warned import Details

HELD = PatientState(UUID(int=1), 1, given_name="Ann", mobile="+447700900123", email="ann@example.org", language="de")
GUARDED = {"contact_of": GUARDIAN}

CASES: dict[str, tuple[dict[str, Any], PersonDetails, dict[str, Any]]] = {
    "no mobile": ({}, PersonDetails(has_no_mobile=True), {"mobile": None}),
    "no email": ({}, PersonDetails(has_no_email=True), {"email": None}),
    "no mobile, and a new one": (
        {},
        PersonDetails(own=Addresses(("+447700900555",)), has_no_mobile=True),
        {"mobile": "+447700900555"},
    ),
    "neither": ({}, PersonDetails(has_no_mobile=True, has_no_email=True), {"mobile": None, "email": None}),
    "no mobile of his own, and a guardian's is held": (GUARDED, PersonDetails(has_no_mobile=True), {}),
    "texts are refused": ({}, PersonDetails(refuses_texts=True), {"mobile": None}),
    "texts are refused, and a guardian's mobile is held": (
        GUARDED, PersonDetails(refuses_texts=True), {"mobile": None},
    ),
    "mail is refused, and a guardian's is held": (GUARDED, PersonDetails(refuses_mail=True), {"email": None}),
    "both are refused": (
        GUARDED, PersonDetails(refuses_texts=True, refuses_mail=True),
        {"mobile": None, "email": None, "contact_of": None},
    ),
    "no consent": ({}, PersonDetails(consent=False), {"consent": False}),
    "not to be contacted": ({}, PersonDetails(do_not_contact=True), {"do_not_contact": True}),
    "nothing is said, and a bar is held": ({"consent": False, "do_not_contact": True}, PersonDetails(), {}),
    "a national number, and the clinic has no country": (
        {}, PersonDetails(own=Addresses(("07700 900555",)), country="GB"), {"mobile": "+447700900555"},
    ),
    "a language for who has none": ({"language": None}, PersonDetails(language_otherwise="en"), {"language": "en"}),
    "a language for who has one": ({}, PersonDetails(language_otherwise="en"), {}),
    "a language that is told": ({}, PersonDetails(language="fr", language_otherwise="en"), {"language": "fr"}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_to_be_gone_is_gone(case: str) -> None:
    before, said, expected = CASES[case]
    held = PatientState(**{**{name: getattr(HELD, name) for name in HELD.__slots__}, **before})
    found = completed(held, read_by(said, None, Details()))
    wanted = {**{name: getattr(held, name) for name in HELD.__slots__}, **expected}
    assert {name: getattr(found, name) for name in HELD.__slots__} == wanted
