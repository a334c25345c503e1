"""A clinic told of in part is as if it had been put whole (RFC 7396)."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from booking.clinics.bodies import ClinicBody, ClinicPart, clinic_of, details_of
from booking.clinics.domain.clinic import ClinicState
from booking.door.bodies import unknown_fields
from booking.values.refusals import Refused
from chassis.process.clock import RealClock

EYE = ClinicState(
    "EYE", 4, "Eye Clinic", "Europe/London", None, datetime(2027, 1, 1, tzinfo=UTC), ("en", "cy"),
    window_opens=time(8), window_closes=time(20),
)  # fmt: skip


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ({}, {}),
        ({"name": "Eyes"}, {"name": "Eyes"}),
        ({"window": {"closes": "21:30"}}, {"window_closes": time(21, 30)}),
        ({"window": {"opens": None}}, {"window_opens": time(7)}),
        ({"window": None}, {"window_opens": time(7), "window_closes": time(21)}),
        ({"languages": ["de"]}, {"languages": ("de",)}),
        ({"languages": None}, {"languages": ("en",)}),
        ({"country": "GB"}, {"country": "GB"}),
        ({"zone": "Europe/London"}, {}),
    ],
)
def test_only_what_is_named_changes(part: dict[str, Any], changes: dict[str, Any]) -> None:
    body = ClinicPart.model_validate(part).whole(EYE)
    found = clinic_of("EYE", body, RealClock(), None)
    names = ("name", "zone", "country", "languages", "window_opens", "window_closes")
    assert {name: getattr(found, name) for name in names} == {
        **{name: getattr(EYE, name) for name in names},
        **changes,
    }


@pytest.mark.parametrize("part", [{"name": None}, {"zone": None}])
def test_what_a_clinic_must_have_is_not_taken_away(part: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        ClinicPart.model_validate(part).whole(EYE)
    assert (refused.value.code, refused.value.place) == ("MISSING_FIELD", next(iter(part)))


def test_details_keep_their_three_values() -> None:
    part = {"phone": None, "services": {"MRI": {"address": None}, "X-ray": None}}
    body = ClinicPart.model_validate(part).whole(EYE)
    told = details_of(body, "GB")
    assert (told.clinic, told.services) == ({"phone": None}, {"MRI": {"address": None}, "X-ray": None})
    assert "sensitive" not in body.model_fields_set
    assert "identifiers" not in body.model_fields_set


def test_unknown_fields_are_found_at_every_depth() -> None:
    body = {
        "name": "A", "zone": "B", "adress": "x", "window": {"opns": None},
        "identifiers": [{"sytem": "a"}], "services": {"MRI": {"Phone": "1"}, "X-ray": None, "C T": {"fax": 1}},
    }  # fmt: skip
    found = {
        one.place: one.detail.partition("did you mean ")[2].rstrip("?") for one in unknown_fields(ClinicBody, body)
    }
    assert found == {
        "adress": "address", "window.opns": "opens", "identifiers.0.sytem": "system", "services.MRI.Phone": "phone",
        "services.?.fax": "",
    }  # fmt: skip
