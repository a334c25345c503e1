"""A retry whose body is written anew is a repeat, also of an event that the release before took (D41)."""

from typing import Any

import orjson

from tests.integration.booking.formats.test_fhir import SERVICE
from tests.support.booking.door import Door, booking
from tests.support.examples import ROOT

MESSAGE = ROOT / "examples" / "fhir" / "booking-request.json"
PATH = "/fhir/R4/$process-message"


def stamped(minute: int, **changes: Any) -> bytes:
    value = orjson.loads(MESSAGE.read_bytes())
    value["timestamp"] = f"2027-03-02T10:{minute:02}:00Z"
    visit = next(e["resource"] for e in value["entry"] if e["resource"]["resourceType"] == "Appointment")
    visit.update(changes)
    return orjson.dumps(value)


async def send(door: Door, body: bytes) -> tuple[int, str | None]:
    answer = await door.ask("POST", PATH, body, content_type="application/fhir+json")
    return answer.status_code, answer.headers.get("attend-result")


async def test_the_same_header_id_under_a_new_timestamp_is_a_repeat_and_with_another_start_a_conflict(
    door: Door,
) -> None:
    clinic = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB", "identifiers": [SERVICE]}
    await door.put("/v1/clinics/EYE", clinic)

    assert await send(door, stamped(1)) == (200, "applied")
    assert await send(door, stamped(2)) == (200, "repeat")
    assert await send(door, stamped(3, start="2031-03-02T10:00:00Z", end="2031-03-02T10:30:00Z")) == (409, None)

    await door.pool.execute("UPDATE ingress SET read_sha256 = NULL")
    assert await send(door, stamped(1)) == (200, "repeat")
    assert await send(door, stamped(2)) == (409, None)


async def test_an_event_of_ours_with_the_same_instants_in_other_words_is_a_repeat(door: Door) -> None:
    await door.post(booking())

    assert (await door.post(booking(start="2027-03-12T11:00:00+01:00")))["result"] == "repeat"
    answer = await door.ask("POST", "/v1/events", booking(start="2027-03-12T11:00:00+00:00"))
    assert (answer.status_code, answer.json()["code"]) == (409, "EVENT_ID_CONFLICT")
