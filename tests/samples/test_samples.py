"""Other people's messages, through the door: the folder in SAMPLES, as it is, and what it must make of each.

`make test-samples` runs this; the samples are not part of the project.
"""

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, opened
from tests.support.installation import Installation

FOLDER = Path(os.environ.get("SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))
DOS = {"system": "http://fhir.nhs.uk/Id/dos-service-id", "value": "111111111"}
MESSAGE = "nhs-bars/booking-request-message-bundle.json"

APPOINTMENTS = {
    "nhs-bars/appointment.json": ("booked", "2021-10-12T12:30:30Z", "91607239-b002-470a-8709-6b25bd50fdd1"),
    "r4/Appointment-example.json": ("booked", "2013-12-10T09:00:00Z", "example"),
    "r4/Appointment-examplereq.json": (
        "proposed",
        None,
        "http://example.org/sampleappointment-identifier|123",
    ),
}
REFUSED = {
    "r4/AppointmentResponse-example.json": "NOT_AN_APPOINTMENT",
    "ihe-iti-scheduling/example-practitioner.json": "NOT_AN_APPOINTMENT",
}


def sample(name: str) -> bytes:
    path = FOLDER / "fhir" / name
    assert path.is_file(), f"{path} is missing: SAMPLES must name the folder of the samples"
    return path.read_bytes()


@pytest.fixture
async def door(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Door]:
    """Give the API, a client whose bookings land in EYE, and the clinic's name in the NHS directory."""
    async with (
        databases.fresh(postgres, migrated_template) as admin_url,
        opened(Installation("127.0.0.1:1", admin_url, "")) as found,
    ):
        body = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB", "identifiers": [DOS]}
        await found.put("/v1/clinics/EYE", body)
        yield found


async def current(door: Door, appointment_id: str, key: str | None = None) -> dict[str, Any]:
    path = f"/v1/appointments/{appointment_id}"
    answer = await (door.ask("GET", path) if key is None else door.ask("GET", path, key=key))
    found: dict[str, Any] = answer.json()
    return found


async def test_the_nhs_booking_message_books_and_registers_and_names_no_doctor(
    door: Door,
) -> None:
    answer = await door.ask("POST", "/fhir/R4/$process-message", sample(MESSAGE))
    assert (answer.status_code, answer.headers["attend-result"]) == (200, "applied"), answer.text
    shown = await current(door, answer.headers["attend-appointment"])
    assert shown["source_id"] == "urn:uuid:aca94bdb-2e38-4399-9ece-2ba083ce65b5"
    visit = shown["current"]
    assert (visit["status"], visit["clinic_id"]) == ("booked", "EYE")
    assert (visit["starts_at"], visit["starts_local"]) == ("2021-10-12T12:30:30Z", "2021-10-12T13:30:30")
    assert visit["service_type"] == "Emergency appointment"
    patient = await door.pool.fetchrow("SELECT * FROM patient")
    assert patient is not None
    assert (patient["given_name"], patient["family_name"], patient["language"]) == ("Peter", "Chalmers", "en")
    assert (patient["mobile"], patient["email"]) == ("+447736312544", "jjones@hotmail.co.uk")
    assert await door.pool.fetchval("SELECT source_id FROM patient_alias") == (
        "https://fhir.nhs.uk/Id/nhs-number|9476719931"
    )
    assert "a practitioner has an identifier" in answer.text  # his urn:uuid: is another in the next message
    assert await door.pool.fetchval("SELECT count(*) FROM provider") == 0
    again = await door.ask("POST", "/fhir/R4/$process-message", sample(MESSAGE))
    assert again.headers["attend-result"] == "repeat"


async def test_the_nhs_message_moved_by_whole_weeks_moves_the_visit(door: Door) -> None:
    await door.ask("POST", "/fhir/R4/$process-message", sample(MESSAGE))
    later = sample(MESSAGE).replace(b"2021-10-12T", b"2027-10-12T").replace(b"2021-10-11T", b"2027-10-11T")
    value = orjson.loads(later) | {"id": "another-message"}
    answer = await door.ask("POST", "/fhir/R4/$process-message", value)
    visit = (await current(door, answer.headers["attend-appointment"]))["current"]
    assert (visit["version"], visit["schedule_gen"], visit["starts_at"]) == (2, 2, "2027-10-12T12:30:30Z")


@pytest.mark.parametrize("name", APPOINTMENTS)
async def test_single_appointments_are_taken(door: Door, name: str) -> None:
    status, start, source_id = APPOINTMENTS[name]
    key = await door.client(Client("gp", ("gp",), default_clinic="EYE"))
    answer = await door.ask("POST", "/fhir/R4/Appointment", sample(name), key=key)
    assert (answer.status_code, answer.headers["attend-result"]) == (201, "applied"), answer.text
    shown = await current(door, answer.headers["attend-appointment"], key)
    assert (shown["current"]["status"], shown["current"].get("starts_at"), shown["source_id"]) == (
        status,
        start,
        source_id,
    )


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_booking_is_refused_and_leaves_nothing(door: Door, name: str) -> None:
    before = await door.counts()
    answer = await door.ask("POST", "/fhir/R4/Appointment", sample(name))
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == REFUSED[name]
    assert await door.counts() == before


async def test_a_bundle_that_is_no_message_is_refused(door: Door) -> None:
    before = await door.counts()
    body = sample("ihe-iti-scheduling/example-iti-scheduling-bundle.json")
    answer = await door.ask("POST", "/fhir/R4/$process-message", body)
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "NOT_A_MESSAGE"
    assert await door.counts() == before
