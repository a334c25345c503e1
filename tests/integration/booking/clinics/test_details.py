"""`PUT /v1/clinics/{code}` keeps how the clinic is reached, once for each change, and tells of its new version."""

from typing import Any

from tests.support.booking.door import Door

EYE: dict[str, Any] = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}
HELD = {"phone": "+442079460018", "address": "1 Long Street"}


async def held(door: Door, code: str = "EYE") -> tuple[Any, Any]:
    row = await door.pool.fetchrow("SELECT details, services FROM clinic_details WHERE clinic_id = $1", code)
    return (row["details"], row["services"]) if row else ({}, {})


async def test_a_change_of_details_alone_is_a_version_and_the_same_again_is_none(door: Door) -> None:
    first = (await door.put("/v1/clinics/EYE", EYE))["version"]
    told = {**EYE, "phone": "020 7946 0018", "address": "1 Long Street", "services": {"MRI": {"preparation": "a\nb"}}}

    versions = [(await door.put("/v1/clinics/EYE", body))["version"] for body in (told, told, EYE)]

    assert versions == [first + 1] * 3
    assert await held(door) == (HELD, {"MRI": {"preparation": "a\nb"}})
    gone = {**EYE, "address": None, "services": {"MRI": None}}
    assert (await door.put("/v1/clinics/EYE", gone))["version"] == first + 2
    assert await held(door) == ({"phone": "+442079460018"}, {})


async def test_a_clinic_may_be_entered_with_them(door: Door) -> None:
    assert await door.put("/v1/clinics/NOSE", {**EYE, **HELD}) == {"clinic_id": "NOSE", "version": 1, "warnings": []}
    assert await held(door, "NOSE") == (HELD, {})


async def test_one_that_is_refused_leaves_all_as_it_was(door: Door) -> None:
    await door.put("/v1/clinics/EYE", {**EYE, **HELD})
    bad = {**EYE, "name": "Ear Clinic", "services": {"MRI": {"directions_url": "http://maps.example.org"}}}

    answer = await door.ask("PUT", "/v1/clinics/EYE", bad)

    assert (answer.status_code, answer.json()["errors"]) == (
        422,
        [{"place": "services.MRI.directions_url", "code": "BAD_URL"}],
    )
    assert await held(door) == (HELD, {})
    assert await door.pool.fetchval("SELECT name FROM clinic WHERE clinic_id = 'EYE'") == "Eye Clinic"
