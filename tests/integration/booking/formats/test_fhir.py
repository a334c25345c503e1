"""FHIR R4 through the door: the project's own examples, which have the shape of NHS BaRS messages."""

from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from schemas import wire
from tests.support.booking.door import Door
from tests.support.examples import ROOT

EXAMPLES = ROOT / "examples" / "fhir"
SERVICE = {"system": "https://clinics.example/healthcare-service", "value": "eye-1"}
JSON = "application/fhir+json"


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((EXAMPLES / name).read_bytes())
    return found


@pytest.fixture
async def clinic(door: Door) -> None:
    """Say how the examples' sender names the clinic EYE."""
    body = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB", "identifiers": [SERVICE]}
    await door.put("/v1/clinics/EYE", body)


async def take(door: Door, message: dict[str, Any], path: str = "$process-message", **headers: str) -> Any:
    answer = await door.ask("POST", f"/fhir/R4/{path}", message, **headers)
    assert answer.status_code in {200, 201}, answer.text
    assert answer.headers["content-type"] == JSON
    return answer


@pytest.mark.usefixtures("clinic")
async def test_a_booking_message_books_registers_and_introduces(door: Door) -> None:
    answer = await take(door, example("booking-request.json"))
    assert answer.headers["attend-result"] == "applied"
    appointment_id = answer.headers["attend-appointment"]
    assert answer.json()["entry"][1]["resource"]["id"] == appointment_id
    assert answer.json()["entry"][0]["resource"]["response"]["code"] == "ok"

    current = (await door.ask("GET", f"/v1/appointments/{appointment_id}")).json()["current"]
    assert (current["status"], current["clinic_id"], current["service_type"]) == ("booked", "EYE", "Cataract review")
    patient = await door.pool.fetchrow("SELECT * FROM patient")
    assert patient is not None
    assert (patient["given_name"], patient["family_name"], patient["language"]) == ("Wren", "Okafor", "en")
    assert (patient["mobile"], patient["email"]) == ("+447700900451", "wren.okafor@example.org")
    assert patient["main_file"] is not None
    assert await door.pool.fetchval("SELECT name FROM provider") == "Dr Ines Baptista"


@pytest.mark.usefixtures("clinic")
async def test_the_same_message_again_is_a_repeat(door: Door) -> None:
    await take(door, example("booking-request.json"))
    before = await door.counts()
    assert (await take(door, example("booking-request.json"))).headers["attend-result"] == "repeat"
    assert await door.counts() == before


@pytest.mark.usefixtures("clinic")
async def test_a_move_and_a_cancellation_in_later_messages(door: Door) -> None:
    first = await take(door, example("booking-request.json"))
    moved = await take(door, example("booking-moved.json"))
    cancelled = await take(door, example("booking-cancelled.json"))
    ids = {answer.headers["attend-appointment"] for answer in (first, moved, cancelled)}
    assert len(ids) == 1
    shown = (await door.ask("GET", f"/v1/appointments/{ids.pop()}")).json()
    assert [(v["status"], v["schedule_gen"]) for v in shown["history"]] == [
        ("booked", 1),
        ("booked", 2),
        ("cancelled", 2),
    ]


@pytest.mark.usefixtures("clinic")
async def test_d41_messages_in_reverse_order_end_in_the_same_state(door: Door) -> None:
    results = [
        (await take(door, example(f"booking-{name}.json"))).headers["attend-result"]
        for name in ("cancelled", "moved", "request")
    ]
    assert results == ["tombstone", "stale", "stale"]


@pytest.mark.usefixtures("clinic")
async def test_an_older_message_says_nothing_new_of_the_patient(door: Door) -> None:
    await take(door, example("booking-moved.json"))
    old = example("booking-request.json")
    await take(door, old)
    assert await door.pool.fetchval("SELECT version FROM patient") == 1


@pytest.mark.usefixtures("clinic")
async def test_the_same_message_id_with_another_body_is_a_conflict(door: Door) -> None:
    await take(door, example("booking-request.json"))
    other = example("booking-moved.json")
    other["id"] = example("booking-request.json")["id"]
    answer = await door.ask("POST", "/fhir/R4/$process-message", other)
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["code"]) == (409, "conflict")
    assert issue["details"]["coding"][0]["code"] == "EVENT_ID_CONFLICT"


@pytest.mark.usefixtures("clinic")
async def test_without_the_right_to_register_the_booking_is_taken_and_nobody_registered(door: Door) -> None:
    key = await door.client(Client("plain", ("local",)))
    answer = await door.ask("POST", "/fhir/R4/$process-message", example("booking-request.json"), key=key)
    assert answer.headers["attend-result"] == "applied"
    assert await door.pool.fetchval("SELECT main_file FROM patient") is None


async def test_a_single_appointment_lands_in_the_clients_default_clinic(door: Door) -> None:
    key = await door.client(Client("gp", ("gp",), default_clinic="EYE"))
    answer = await door.ask("POST", "/fhir/R4/Appointment", example("appointment.json"), key=key)
    assert (answer.status_code, answer.headers["attend-result"]) == (201, "applied")
    shown = (await door.ask("GET", f"/v1/appointments/{answer.headers['attend-appointment']}", key=key)).json()
    assert shown["source_id"] == "https://clinics.example/appointment|A-1002"
    assert shown["current"]["provider_id"] == str(wire.provider_id("gp", "Practitioner/baptista"))
    again = await door.ask("PUT", "/fhir/R4/Appointment/a-1002", example("appointment.json"), key=key)
    assert (again.status_code, again.headers["attend-result"]) == (200, "repeat")


async def test_an_unknown_clinic_names_the_systems_that_no_clinic_has(door: Door) -> None:
    answer = await door.ask("POST", "/fhir/R4/$process-message", example("booking-request.json"))
    issue = answer.json()["issue"][0]
    assert (answer.status_code, issue["details"]["coding"][0]["code"]) == (422, "UNKNOWN_CLINIC")
    assert SERVICE["system"] in issue["details"]["text"]
    assert await door.pool.fetchval("SELECT count(*) FROM patient_alias") == 0
