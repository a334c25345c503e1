"""The names of people: what a message says of one patient or provider leads to one, on a real database (D53)."""

import asyncio
from typing import Any

import pytest

from booking.appointments.handle import accept
from booking.appointments.store import PostgresStore
from booking.door import client_keys
from booking.door.domain import Client
from booking.patients.handle import Rules
from chassis.process.errors import Unavailable
from tests.support.booking.builders import LOCAL, NOW, command
from tests.support.booking.door import Door
from tests.support.waiting import until

pytestmark = pytest.mark.integration

SENDER = "the key of the sender of FHIR, long enough"
MRN, SSN = {"system": "urn:mrn", "value": "7"}, {"system": "urn:ssn", "value": "9"}


@pytest.fixture(autouse=True)
async def sender(door: Door) -> None:
    """Make the client of a source that speaks FHIR."""
    await client_keys.create(door.pool, Client("fhir", ("local",), may_register=True, default_clinic="EYE"), SENDER)


async def book(door: Door, visit: str, patient: Any, doctor: Any = None) -> dict[str, Any]:
    """Book a visit of these people, each a reference or contained; return it and what was warned."""
    people = [one for one in (patient, doctor) if one is not None]
    inside = [one for one in people if "resourceType" in one]
    actors = [{"reference": f"#{one['id']}"} if one in inside else one for one in people]
    times = {"start": "2027-03-12T10:00:00Z", "end": "2027-03-12T10:30:00Z"}
    body: dict[str, Any] = {"resourceType": "Appointment", "id": visit, "status": "booked", **times}
    body |= {"contained": inside} if inside else {}
    body |= {"participant": [{"actor": actor, "status": "accepted"} for actor in actors]}
    answer = await door.ask("POST", "/fhir/R4/Appointment", body, key=SENDER)
    assert answer.is_success, answer.text
    shown = await door.ask("GET", f"/v1/appointments/{answer.headers['attend-appointment']}")
    said = answer.headers.get("attend-warnings", "").split(", ")
    return {**shown.json()["current"], "warned": ", ".join(one for one in said if not one.startswith("UNKNOWN_P"))}


def person(*identifiers: dict[str, str], kind: str = "Patient") -> dict[str, Any]:
    return {"resourceType": kind, "id": f"my-{kind}", "identifier": list(identifiers), "name": [{"family": "Lee"}]}


def known(*identifiers: dict[str, str], reference: str, kind: str = "Patient") -> dict[str, Any]:
    """Return a reference that names somebody both ways."""
    return {"reference": reference, "type": kind, "identifier": identifiers[0]}


async def test_d53_a_patient_by_reference_then_by_identifier_too_then_by_the_identifier_is_one(door: Door) -> None:
    visits = [
        await book(door, "1", {"reference": "Patient/ann"}),
        await book(door, "2", known(MRN, reference="Patient/ann")),
        await book(door, "3", person(SSN, MRN)),
        await book(door, "4", person(SSN)),
    ]
    assert len({visit["patient_id"] for visit in visits}) == 1
    assert {visit["warned"] for visit in visits} == {""}
    assert await door.pool.fetchval("SELECT count(*) FROM patient") == 1


async def test_what_changes_nothing_of_the_visit_names_its_people_all_the_same(door: Door) -> None:
    gmc, who = {"system": "urn:gmc", "value": "3"}, {"reference": "Practitioner/who"}
    ann = {"reference": "Patient/ann"}
    first = await book(door, "1", ann, who)
    again = await book(door, "1", known(MRN, reference=ann["reference"]), known(gmc, **who, kind="Practitioner"))
    other = await book(door, "2", person(MRN), person(gmc, kind="Practitioner"))
    assert again["version"] == 1
    assert (other["patient_id"], other["provider_id"]) == (first["patient_id"], first["provider_id"])


async def test_a_patient_who_was_registered_by_one_name_is_found_by_it_beside_others(door: Door) -> None:
    registered = await door.put("/v1/patients/urn:mrn%7C7", {"given_name": "Ann", "mobile": "+447700900123"})
    visit = await book(door, "1", person(SSN, MRN))
    assert visit["patient_id"] == registered["patient_id"]
    again = await door.put("/v1/patients/urn:ssn%7C9", {"given_name": "Anna"})
    assert (again["patient_id"], again["version"]) == (registered["patient_id"], registered["version"] + 2)


async def test_names_of_two_patients_follow_the_first_with_a_warning(door: Door) -> None:
    ann, ben = await book(door, "1", person(MRN)), await book(door, "2", person(SSN))
    both = await book(door, "3", person(MRN, SSN))
    assert (both["patient_id"], both["warned"]) == (ann["patient_id"], "IDENTITY_CONFLICT")
    assert (await book(door, "4", person(SSN, MRN)))["patient_id"] == ben["patient_id"]


async def test_a_number_of_a_household_does_not_make_two_people_one(door: Door) -> None:
    ann = await book(door, "1", person(MRN, SSN))
    ben = await book(door, "2", person({**MRN, "value": "8"}, SSN))
    assert (ben["patient_id"] != ann["patient_id"], ben["warned"]) == (True, "IDENTITY_CONFLICT")
    assert (await book(door, "3", person(SSN)))["patient_id"] == ann["patient_id"]


async def test_d53_a_provider_by_reference_then_by_identifier_too_then_by_the_identifier_is_one(door: Door) -> None:
    ann, gmc = {"reference": "Patient/ann"}, {"system": "urn:gmc", "value": "3"}
    visits = [
        await book(door, "1", ann, {"reference": "Practitioner/who"}),
        await book(door, "2", ann, known(gmc, reference="Practitioner/who", kind="Practitioner")),
        await book(door, "3", ann, person(gmc, kind="Practitioner")),
    ]
    assert len({visit["provider_id"] for visit in visits}) == 1
    entered = await door.put("/v1/providers/urn:gmc%7C3", {"name": "Dr Who"})
    assert entered["provider_id"] == visits[0]["provider_id"]


async def test_two_batches_at_once_that_bring_one_name_of_a_patient_make_one_the_second_time(door: Door) -> None:
    first = command("a", appointment="v1", patient="a", patient_names=("b",))
    second = command("b", appointment="v2", patient="c", patient_names=("b",))
    async with door.pool.acquire() as one, door.pool.acquire() as other:
        early, late = one.transaction(), other.transaction()
        await early.start()
        await late.start()
        await accept(PostgresStore(one), [first], {"local": LOCAL}, NOW, Rules())
        waiting = asyncio.create_task(accept(PostgresStore(other), [second], {"local": LOCAL}, NOW, Rules()))
        await until(lambda: waits(door))
        await early.commit()
        with pytest.raises(Unavailable, match="IDENTITY_RACE"):
            await waiting
        await late.rollback()
        async with other.transaction():
            await accept(PostgresStore(other), [second], {"local": LOCAL}, NOW, Rules())
    assert await door.pool.fetchval("SELECT count(*) FROM patient") == 1
    assert await door.pool.fetchval("SELECT count(DISTINCT patient_id) FROM appointment") == 1


async def waits(door: Door) -> bool:
    return bool(await door.pool.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))
