"""Patients, providers, clinics, main files and the send gate on a real database (D2, D4, D5, D44)."""

import asyncio
from uuid import UUID

import asyncpg
import orjson
import pytest

from tests.support.booking.door import PROVIDER, Door, booking, opened
from tests.support.installation import Installation

ANN = {
    "given_name": "Ann",
    "family_name": "Smith",
    "mobile": "07736 312544",
    "country": "GB",
    "email": "ann@example.org",
}


async def topics(door: Door) -> list[str]:
    return [row["topic"] for row in await door.pool.fetch("SELECT topic FROM outbox ORDER BY id")]


async def test_d4_registration_issues_the_main_file_and_publishes_the_patient(door: Door) -> None:
    first = await door.put("/v1/patients/ann", ANN)
    year = first["main_file"][5:9]
    assert first["main_file"] == f"FILE-{year}-000001"
    value = orjson.loads(await door.pool.fetchval("SELECT value FROM outbox WHERE topic = 'patients'"))
    assert (value["patient_id"], value["main_file"]) == (first["patient_id"], first["main_file"])
    assert value["mobile"] == "+447736312544"
    assert await door.put("/v1/patients/ann", ANN) == first
    changed = await door.put("/v1/patients/ann", {**ANN, "do_not_contact": True})
    assert changed == {**first, "version": 2}
    assert first["reminders_cancelled"] == 0
    assert await topics(door) == ["clinics", "patients", "patients"]


async def test_d4_numbers_have_no_gaps_when_many_register_at_once(door: Door) -> None:
    answers = await asyncio.gather(*(door.put(f"/v1/patients/p{n}", ANN) for n in range(30)))
    assert sorted(int(answer["main_file"][10:]) for answer in answers) == list(range(1, 31))


async def test_d4_an_upstream_number_is_kept_if_it_fits_and_is_free(door: Door) -> None:
    taken = await door.put("/v1/patients/ann", {**ANN, "main_file": "FILE-2027-000002"})
    assert taken["main_file"] == "FILE-2027-000002"
    other = await door.ask("PUT", "/v1/patients/bob", {**ANN, "main_file": "FILE-2027-000002"})
    assert (other.status_code, other.json()["code"]) == (409, "MAIN_FILE_TAKEN")
    fixed = await door.ask("PUT", "/v1/patients/ann", {**ANN, "main_file": "FILE-2027-000003"})
    assert (fixed.status_code, fixed.json()["code"]) == (409, "MAIN_FILE_FIXED")


async def test_d2_the_last_number_of_a_year_is_followed_by_an_error(door: Door) -> None:
    first = await door.put("/v1/patients/ann", ANN)
    await door.pool.execute("UPDATE main_file_counter SET last = 999999")
    full = await door.ask("PUT", "/v1/patients/bob", ANN)
    assert (full.status_code, full.json()["code"]) == (422, "MAIN_FILE_EXHAUSTED")
    assert await door.put("/v1/patients/ann", ANN) == first


async def test_d5_a_booking_gives_an_unknown_patient_the_id_that_registration_keeps(door: Door) -> None:
    booked = await door.post(booking())
    held = await door.pool.fetchrow("SELECT patient_id, main_file FROM patient")
    assert held is not None
    assert held["main_file"] is None
    registered = await door.put("/v1/patients/ann", ANN)
    assert registered["patient_id"] == str(held["patient_id"])
    shown = (await door.ask("GET", f"/v1/appointments/{booked['appointment_id']}")).json()
    assert shown["current"]["patient_id"] == registered["patient_id"]


async def test_d5_register_on_booking_registers_the_unknown(base: Installation) -> None:
    async with opened(base, register_on_booking=True) as door:
        await door.post([booking(f"e{n}", f"v{n}", patient={"id": f"p{n % 3}"}) for n in range(9)])
        numbers = await door.pool.fetch("SELECT main_file FROM patient ORDER BY main_file")
        assert [row["main_file"][10:] for row in numbers] == ["000001", "000002", "000003"]
        assert (await topics(door)).count("patients") == 3


async def test_a_provider_and_a_clinic_are_published_once_for_each_change(door: Door) -> None:
    for name, version in (("Dr Who", 1), ("Dr Who", 1), ("Dr No", 2)):
        answer = await door.put("/v1/providers/dr-who?source=local", {"name": name})
        assert answer == {"provider_id": PROVIDER, "version": version, "warnings": []}
    body = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}
    for sensitive, version in ((False, 1), (True, 2)):
        assert (await door.put("/v1/clinics/EYE", {**body, "sensitive": sensitive}))["version"] == version
    assert sorted(await topics(door)) == ["clinics", "clinics", "providers", "providers"]


async def test_an_identifier_stands_for_one_clinic(door: Door) -> None:
    names = {"identifiers": [{"system": "urn:places", "value": "1"}]}
    body = {"name": "A Clinic", "zone": "Europe/London", **names}
    await door.put("/v1/clinics/AAA", body)
    await door.put("/v1/clinics/AAA", body)
    taken = await door.ask("PUT", "/v1/clinics/BBB", body)
    assert (taken.status_code, taken.json()["code"]) == (409, "IDENTIFIER_TAKEN")
    assert await door.pool.fetchval("SELECT count(*) FROM clinic WHERE clinic_id = 'BBB'") == 0


async def test_an_id_may_be_a_uri(door: Door) -> None:
    answer = await door.put("/v1/patients/https:%2F%2Ffhir.nhs.uk%2FId%2Fnhs-number%7C9476719931", ANN)
    row = await door.pool.fetchrow(
        "SELECT source_id FROM patient_alias WHERE patient_id = $1", UUID(answer["patient_id"])
    )
    assert row is not None
    assert row["source_id"] == "https://fhir.nhs.uk/Id/nhs-number|9476719931"


async def test_the_send_gate_tells_the_notifier_what_is_true_now_and_nothing_else(
    door: Door, base: Installation
) -> None:
    await door.put("/v1/patients/ann", {**ANN, "language": "en"})
    known = UUID((await door.post(booking("e1", "v1")))["appointment_id"])
    stranger = UUID((await door.post(booking("e2", "v2", patient={"id": "bob"}, provider=None)))["appointment_id"])
    buried = UUID((await door.post(booking("e3", "v3", status="cancelled")))["appointment_id"])
    await door.put("/v1/providers/dr-who", {"name": "Dr Who"})

    notifier = await asyncpg.connect(base.service_url("notifier"))
    try:
        rows = await notifier.fetch("SELECT * FROM booking.send_gate($1::uuid[])", [known, stranger, buried])
        found = {row["appointment_id"]: row for row in rows}
        assert found.keys() == {known, stranger}
        ann = found[known]
        assert (ann["status"], ann["schedule_gen"], ann["registered"], ann["given_name"]) == ("booked", 1, True, "Ann")
        assert (ann["mobile"], ann["clinic_name"], ann["zone"]) == ("+447736312544", "Eye Clinic", "Europe/London")
        assert (str(ann["provider_id"]), ann["provider_name"]) == (PROVIDER, "Dr Who")
        assert (found[stranger]["registered"], found[stranger]["consent"], found[stranger]["given_name"]) == (
            False,
            True,
            None,
        )
        await door.post(booking("e4", "v1", status="cancelled"))
        now = await notifier.fetchrow("SELECT status FROM booking.send_gate($1::uuid[])", [known])
        assert now is not None
        assert now["status"] == "cancelled"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await notifier.fetch("SELECT * FROM booking.patient")
    finally:
        await notifier.close()


async def test_the_gate_is_the_notifiers_alone(base: Installation) -> None:
    records = await asyncpg.connect(base.service_url("records"))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await records.fetch("SELECT * FROM booking.send_gate('{}'::uuid[])")
    finally:
        await records.close()


async def test_d54_whose_an_address_is_goes_out_with_the_patient_and_to_the_notifier(
    door: Door, base: Installation
) -> None:
    ann = await door.put("/v1/patients/ann", {**ANN, "contact_of": "guardian"})
    bob = await door.put("/v1/patients/bob", {"given_name": "Bob", "contact_of": "guardian"})
    values = [
        orjson.loads(row[0]) for row in await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'patients'")
    ]
    assert sorted(str(value.get("contact_of")) for value in values) == ["None", "guardian"]
    notifier = await asyncpg.connect(base.service_url("notifier"))
    try:
        asked = [UUID(one["patient_id"]) for one in (ann, bob)]
        found = [await notifier.fetchval("SELECT booking.contact_of($1)", one) for one in asked]
        assert found == ["guardian", None]
        await door.put("/v1/patients/ann", ANN)
        assert await notifier.fetchval("SELECT booking.contact_of($1)", asked[0]) is None
    finally:
        await notifier.close()


async def test_d56_a_national_number_is_read_by_the_country_of_the_visits_clinic(door: Door) -> None:
    for code, country in (("BER", {"country": "DE"}), ("PAR", {"country": "FR"}), ("NIL", {})):
        body = {
            "name": code,
            "zone": "Europe/Berlin",
            "identifiers": [{"system": "Location", "value": code}],
            **country,
        }
        await door.put(f"/v1/clinics/{code}", body)
    numbers = {"BER": "0171 1234567", "PAR": "06 12 34 56 78", "NIL": "07911 123456"}
    for code, number in numbers.items():
        actors = [{"reference": f"#{code}", "type": "Patient"}, {"reference": f"Location/{code}"}]
        patient = {"resourceType": "Patient", "id": code, "identifier": [{"value": code}]}
        visit = {
            "resourceType": "Appointment", "id": code, "status": "booked", "start": "2027-03-12T10:00:00Z",
            "end": "2027-03-12T10:30:00Z", "participant": [{"actor": one, "status": "accepted"} for one in actors],
            "contained": [{**patient, "telecom": [{"system": "phone", "value": number}]}],
        }  # fmt: skip
        answer = await door.ask("POST", "/fhir/R4/Appointment", visit)
        assert answer.headers.get("attend-warnings") == ("DETAIL_DROPPED" if code == "NIL" else None)
    rows = await door.pool.fetch("SELECT source_id, mobile FROM patient JOIN patient_alias USING (patient_id)")
    assert {row["source_id"]: row["mobile"] for row in rows} == {
        "BER": "+491711234567", "PAR": "+33612345678", "NIL": None,
    }  # fmt: skip
