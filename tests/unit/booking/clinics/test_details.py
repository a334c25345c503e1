"""How a clinic is reached: what its route takes, and what stays when it is not named."""

from typing import Any

import pytest

from booking.clinics.bodies import ClinicBody, details_of
from booking.clinics.domain.details import Details
from booking.values.refusals import Refused

HELD = Details(
    {"phone": "+442079460018", "address": "1 Long Street"}, {"MRI": {"preparation": "No metal", "address": "Basement"}}
)


def read(**body: Any) -> Details:
    """Return what is held after a body told of a clinic in Britain that had nothing."""
    return told(Details(), **body)


def told(held: Details, **body: Any) -> Details:
    whole = ClinicBody.model_validate({"name": "A Clinic", "zone": "Europe/London", **body})
    return held.with_told(details_of(whole, "GB"))


@pytest.mark.parametrize(
    ("field", "written", "kept"),
    [
        ("phone", "020 7946 0018", "+442079460018"),
        ("phone", "+49 (30) 12345-678", "+493012345678"),
        ("phone", "0800 1111", "+448001111"),
        ("phone", "\ufeff+44\u200b 20 7946 0018 ", "+442079460018"),
        ("address", "  1\u00a0Long Street\u00ad, London ", "1\u00a0Long Street, London"),
        ("address", "A" * 300, "A" * 300),
        ("directions_url", "https://maps.example.org/?q=1,2&z=3#here", "https://maps.example.org/?q=1,2&z=3#here"),
        ("directions_url", "HTTPS://straße.example/Nord Süd", "https://xn--strae-oqa.example/Nord%20S%C3%BCd"),
        ("preparation", "Bring:\r\n- your card\r\n\r\n\r\n\r\nBe early. \n", "Bring:\n- your card\n\nBe early."),
        ("preparation", "{{ 7 * 7 }} <b>&", "{{ 7 * 7 }} <b>&"),
    ],
)
def test_a_detail_is_kept_in_one_form(field: str, written: str, kept: str) -> None:
    assert read(**{field: written}).clinic == {field: kept}


@pytest.mark.parametrize(
    ("field", "written", "code"),
    [
        ("phone", "call the desk", "BAD_PHONE"),
        ("phone", "111", "BAD_PHONE"),
        ("phone", "020 7946 0018 ext. 12", "BAD_PHONE"),
        ("phone", "0999 123456", "BAD_PHONE"),
        ("phone", "+44 20 7946 0018\n+44 20 7946 0019", "CONTROL_CHARACTER"),
        ("phone", "", "EMPTY_TEXT"),
        ("address", "1 Long Street\nLondon", "CONTROL_CHARACTER"),
        ("address", "A" * 301, "FIELD_TOO_LONG"),
        ("address", "\u202eteertS gnoL", "BIDI_CHARACTER"),
        ("directions_url", "http://maps.example.org", "BAD_URL"),
        ("directions_url", "javascript:alert(1)", "BAD_URL"),
        ("directions_url", "maps.example.org", "BAD_URL"),
        ("directions_url", "https://", "BAD_URL"),
        ("directions_url", "https:maps.example.org", "BAD_URL"),
        ("directions_url", "https://localhost/map", "BAD_URL"),
        ("directions_url", "https://bank.example@evil.example/", "BAD_URL"),
        ("directions_url", "https://maps.example.org/\nhttps://evil.example", "CONTROL_CHARACTER"),
        ("directions_url", f"https://maps.example.org/{'ü' * 900}", "FIELD_TOO_LONG"),
        ("preparation", "Bring\x00it", "CONTROL_CHARACTER"),
        ("preparation", "A" * 1001, "FIELD_TOO_LONG"),
        ("preparation", " \n\u200b\n ", "EMPTY_TEXT"),
    ],
)
def test_what_no_message_can_say_is_refused_with_its_place(field: str, written: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(**{field: written})
    assert (refused.value.code, refused.value.place) == (code, field)

    with pytest.raises(Refused) as refused:
        read(services={"MRI": {field: written}})
    assert (refused.value.code, refused.value.place) == (code, f"services.MRI.{field}")


def test_a_national_phone_of_a_clinic_in_no_country_is_refused() -> None:
    body = ClinicBody.model_validate({"name": "A Clinic", "zone": "UTC", "phone": "020 7946 0018"})
    with pytest.raises(Refused) as refused:
        details_of(body, None)
    assert (refused.value.code, refused.value.place) == ("NO_COUNTRY", "phone")


@pytest.mark.parametrize(
    ("body", "clinic", "services"),
    [
        ({}, HELD.clinic, HELD.services),
        ({"services": {}}, HELD.clinic, HELD.services),
        ({"phone": None}, {"address": "1 Long Street"}, HELD.services),
        ({"address": "2 Short Street"}, {"phone": "+442079460018", "address": "2 Short Street"}, HELD.services),
        ({"services": {"MRI": {"address": None}}}, HELD.clinic, {"MRI": {"preparation": "No metal"}}),
        ({"services": {"MRI": {"address": None, "preparation": None}}}, HELD.clinic, {}),
        ({"services": {"MRI": None}}, HELD.clinic, {}),
        ({"services": {"X-ray": {"address": "Attic"}}}, HELD.clinic, {**HELD.services, "X-ray": {"address": "Attic"}}),
        ({"services": {"X-ray": {}, "CT": None}}, HELD.clinic, HELD.services),
    ],
)
def test_d51_what_is_left_out_stays_and_what_is_null_is_taken_away(
    body: dict[str, Any], clinic: dict[str, str], services: dict[str, dict[str, str]]
) -> None:
    after = told(HELD, **body)

    assert (after.clinic, after.services) == (clinic, services)
