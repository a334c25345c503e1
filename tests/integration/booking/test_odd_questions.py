"""Whatever booking's API is asked with, it answers; a 500 is always our fault."""

import json
from typing import Any

import pytest

from tests.integration.booking.formats.test_examples import FOLDER, sendings
from tests.support.booking.door import KEY, OPERATOR_KEY, Door
from tests.support.odd_questions import broken_by

pytestmark = [pytest.mark.integration, pytest.mark.fuzz]

ONCE = ("msg-1", "msg-2", "msg-3", "msg-4", "visit-1", "5f2c1001-6a1b-4c3d-8e9f-0a1b2c3d4e5f")
MANY = ("fhir/booking-moved.json", "fhir/booking-cancelled.json")
"""Of the same shape as the message that books."""

PARTS = (
    ("/v1/events", KEY),
    ("/v1/p", KEY),
    ("/v1/clinics/{code}", KEY),
    ("/v1/clinics/{code}/reminder-policy", OPERATOR_KEY),
    ("/v1/ahead", OPERATOR_KEY),
    ("/v1/appointments", OPERATOR_KEY),
    ("/v1/appointments", KEY),
    ("/v1/inbound", KEY),
    ("/v1/sources", KEY),
    ("/fhir/R4/$", KEY),
    ("/fhir", KEY),
    ("/", KEY),
)
"""Beginning of a path, and who may ask it; a path belongs to the longest."""


def part_of(path: str) -> str:
    return max((part for part, _ in PARTS if path.startswith(part)), key=len)


async def described(door: Door, part: str) -> dict[str, Any]:
    """Return the OpenAPI of a part, with the bodies of the examples where it shows none."""
    api: dict[str, Any] = (await door.look("/openapi.json")).json()
    api["paths"] = {path: found for path, found in api["paths"].items() if part_of(path) == part}
    for method, path, file in (one for one in sendings() if one[2] not in MANY):
        content = api["paths"].get(path, {}).get(method.lower(), {}).get("requestBody", {}).get("content", {})
        for one in (one for one in content.values() if path.startswith("/fhir")):
            one.setdefault("examples", {})[file] = {"value": json.loads((FOLDER / file).read_bytes())}
    return api


@pytest.mark.parametrize(("part", "key"), PARTS)
async def test_no_value_in_any_parameter_or_field_breaks_a_route(door: Door, part: str, key: str) -> None:
    for code in ("NORTH", "CARDIO"):
        await door.put(f"/v1/clinics/{code}", {"name": code, "zone": "Europe/London", "country": "GB"})
    api = await described(door, part)
    assert api["paths"]

    assert await broken_by(door.http, "", api, headers={"Authorization": f"Bearer {key}"}, once=ONCE) == []
