"""A patient told of in part: what is named changes, null takes away, what is left out stays (RFC 7396, D51)."""

from typing import Any
from uuid import UUID

import pytest

from booking.door.bodies import read, unknown_fields
from booking.door.domain import Client
from booking.patients.bodies import BatchBody, PatientBody, in_part, registration
from booking.patients.domain.patient import PatientState
from booking.patients.domain.registrations import Registered, Registrations
from booking.values.refusals import Refused

IDENTITY, KEY, LOCAL = ("local", "ann"), UUID(int=1), Client("local", ("local",), may_register=True)
ANN = PatientState(
    KEY, 3, "FILE-2027-000001", "Ann", "Smith", "en", "+447736312544", "ann@example.org", contact_of="guardian",
    do_not_contact=True,
)  # fmt: skip


def told(body: object, held: PatientState = ANN, version: int | None = None) -> PatientState | str:
    found = read(PatientBody, body)
    wish = in_part(registration(IDENTITY, found, LOCAL, "GB"), found)._replace(version=version)
    fold = Registrations({IDENTITY: KEY}, {KEY: held}, (), {})
    outcome = fold.take(wish)
    return outcome.code if isinstance(outcome, Refused) else fold.changed().get(KEY, held)


@pytest.mark.parametrize(
    ("body", "changes"),
    [
        ({}, {}),
        ({"mobile": "07736 312545"}, {"mobile": "+447736312545"}),
        ({"email": None}, {"email": None}),
        ({"email": None, "mobile": None}, {"email": None, "mobile": None, "contact_of": None}),
        ({"contact_of": None}, {"contact_of": None}),
        ({"do_not_contact": False}, {"do_not_contact": False}),
        ({"given_name": "Anna", "consent": False}, {"given_name": "Anna", "consent": False}),
        ({"country": "DE"}, {}),
        ({"main_file": "FILE-2027-000001"}, {}),
    ],
)
def test_only_what_is_named_changes(body: dict[str, Any], changes: dict[str, Any]) -> None:
    found = told(body)
    assert isinstance(found, PatientState)
    told_of = {name: getattr(found, name) for name in PatientState.__slots__}
    before = {name: getattr(ANN, name) for name in PatientState.__slots__}
    assert told_of == {**before, **changes, "version": 4 if changes else 3}


@pytest.mark.parametrize(
    ("body", "code"),
    [({"main_file": None}, "MAIN_FILE_FIXED"), ({"main_file": "FILE-2027-000002"}, "MAIN_FILE_FIXED")],
)
def test_a_main_file_is_not_taken_away(body: object, code: str) -> None:
    assert told(body) == code


@pytest.mark.parametrize(("version", "is_taken"), [(None, True), (3, True), (2, False), (4, False), (0, False)])
def test_what_was_decided_on_another_version_is_refused(version: int | None, *, is_taken: bool) -> None:
    assert (told({"email": None}, version=version) == "VERSION_CHANGED") is not is_taken


def test_of_two_in_one_transaction_that_were_decided_on_one_version_the_second_is_refused() -> None:
    fold = Registrations({IDENTITY: KEY}, {KEY: ANN}, (), {})
    body, other = read(PatientBody, {"email": None}), read(PatientBody, {"mobile": None})
    first = in_part(registration(IDENTITY, body, LOCAL, None), body)._replace(version=3)
    second = in_part(registration(IDENTITY, other, LOCAL, None), other)._replace(version=3)
    assert fold.take(first) == KEY
    refused = fold.take(second)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.status) == ("VERSION_CHANGED", 412)


@pytest.mark.parametrize(
    ("held", "codes"),
    [
        (ANN, []),
        (PatientState(KEY, 1), ["NO_NAME", "NO_CONTACT"]),
        (PatientState(KEY, 1, given_name="Ann"), ["NO_CONTACT"]),
        (PatientState(KEY, 1, family_name="Smith", email="a@example.org"), []),
        (PatientState(KEY, 1, mobile="+447736312544"), ["NO_NAME"]),
        (PatientState(KEY, 1, given_name="Ann", deceased=True), []),
    ],
)
def test_what_a_patient_lacks_for_messages_is_said(held: PatientState, codes: list[str]) -> None:
    assert [one.code for one in Registered(held, 0).warnings] == codes


@pytest.mark.parametrize(
    ("body", "places", "meant"),
    [
        ({"givenname": "Ann"}, ["givenname"], "given_name"),
        ({"mobil": "1", "given_name": "A"}, ["mobil"], "mobile"),
        ({"doNotContact": True}, ["doNotContact"], "do_not_contact"),
        ({"Email": "x"}, ["Email"], "email"),
        ({"contact-of": "x"}, ["?"], "contact_of"),
        ({"ann@example.org": 1}, ["?"], None),
        ({"patients": 1, "dob": 2}, ["dob", "patients"], None),
    ],
)
def test_a_field_that_a_patient_does_not_have_is_named_with_the_one_that_is_meant(
    body: object, places: list[str], meant: str | None
) -> None:
    found = list(unknown_fields(PatientBody, body))
    assert [(one.code, one.place) for one in found] == [("UNKNOWN_FIELD", place) for place in places]
    assert (f"did you mean {meant}?" in found[0].detail) is (meant is not None)


def test_a_field_of_one_in_a_list_has_the_place_in_the_list() -> None:
    (found,) = unknown_fields(BatchBody, {"patients": [{"id": "a"}, {"id": "b", "mobil": 1}]})
    assert found.place == "patients.1.mobil"


@pytest.mark.parametrize(
    ("held", "before", "expected"),
    [
        (ANN, (), KEY),
        (PatientState(KEY), (), "UNKNOWN_PATIENT"),
        (PatientState(KEY), ({"given_name": "Ann"},), KEY),
    ],
)
def test_what_is_only_for_somebody_known_registers_nobody(
    held: PatientState, before: tuple[dict[str, str], ...], expected: UUID | str
) -> None:
    fold = Registrations({IDENTITY: KEY}, {KEY: held}, (), {})
    for body in before:
        fold.take(registration(IDENTITY, read(PatientBody, body), LOCAL, None))
    found = read(PatientBody, {"do_not_contact": True})
    outcome = fold.take(in_part(registration(IDENTITY, found, LOCAL, None), found)._replace(only_known=True))
    assert (outcome.code if isinstance(outcome, Refused) else outcome) == expected
