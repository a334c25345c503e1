"""Who may write whom (G9): the table of docs/booking/people.md, cell by cell, by every way in."""

from typing import Any

import httpx2
import pytest

from booking.door.domain import ALL, Client
from tests.support.booking.door import KEY, Door, booking

ANN = {"given_name": "Ann", "mobile": "+447736312544"}
EVIL = {"given_name": "Ann", "mobile": "+447700900999"}
VISITS = {"none": (), "its own": ("EYE",), "another's": ("HIV",), "both": ("EYE", "HIV")}


async def desk(door: Door, *clinics: str, source: str = "local") -> str:
    """Return the key of a client of these clinics, who may register and manage them."""
    name = f"{source} at {'-'.join(clinics)}"
    return await door.client(Client(name, (source,), clinics, may_register=True, may_manage_clinics=True))


async def ann_with(door: Door, visits: str) -> None:
    """Register her, and book her visits, by a client that sees all clinics."""
    await door.put("/v1/clinics/HIV", {"name": "Blue Clinic", "zone": "Europe/London"})
    await door.put("/v1/patients/ann", ANN)
    for code in VISITS[visits]:
        await door.post(booking(f"of {code}", f"at {code}", clinic=code))


def message(patient: str = "ann", key: str = "m1", deceased: bool | None = None) -> dict[str, Any]:
    """Return a FHIR Appointment at EYE whose patient is described in it."""
    said = {} if deceased is None else {"deceasedBoolean": deceased}
    described = {
        "resourceType": "Patient", "id": patient, "name": [{"given": ["Ann"]}],
        "telecom": [{"system": "phone", "value": EVIL["mobile"]}], **said,
    }  # fmt: skip
    appointment = {
        "resourceType": "Appointment", "id": f"visit-{key}", "status": "booked",
        "start": "2027-03-12T10:00:00Z", "end": "2027-03-12T10:30:00Z",
        "participant": [
            {"actor": {"reference": f"Patient/{patient}"}, "status": "accepted"},
            {"actor": {"reference": "Location/eye"}, "status": "accepted"},
        ],
    }  # fmt: skip
    header = {
        "resourceType": "MessageHeader", "eventCoding": {"system": "x", "code": "booking-request"},
        "source": {"endpoint": "urn:x"}, "focus": [{"reference": f"Appointment/visit-{key}"}],
    }  # fmt: skip
    resources = (header, appointment, described)
    entries = [{"fullUrl": f"urn:uuid:{number}", "resource": one} for number, one in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "message", "id": key, "entry": entries}


async def send(door: Door, key: str, bundle: dict[str, Any]) -> httpx2.Response:
    return await door.ask("POST", "/fhir/R4/$process-message", bundle, key=key)


async def mobile_of(door: Door) -> str:
    found: str = await door.pool.fetchval("SELECT mobile FROM patient JOIN patient_alias USING (patient_id) LIMIT 1")
    return found


@pytest.mark.parametrize(
    ("visits", "clinics", "status"),
    [
        ("none", ("EYE",), 200),
        ("its own", ("EYE",), 200),
        ("another's", ("EYE",), 403),
        ("both", ("EYE",), 403),
        ("both", ("EYE", "HIV"), 200),
        ("both", (ALL,), 200),
        ("another's", ("ENT", "EYE"), 403),
    ],
)
async def test_g9_a_patient_is_written_by_who_sees_all_clinics_of_his_visits(
    door: Door, visits: str, clinics: tuple[str, ...], status: int
) -> None:
    await ann_with(door, visits)
    key = await desk(door, *clinics)

    alone = await door.ask("PUT", "/v1/patients/ann", EVIL, key=key)
    listed = await door.ask("PUT", "/v1/patients", [{"id": "ann", **EVIL}, {"id": "new"}], key=key)

    assert alone.status_code == status
    assert [item["status"] for item in listed.json()["results"]] == [status, 200]
    assert await mobile_of(door) == (EVIL if status == 200 else ANN)["mobile"]
    if status == 403:
        assert {alone.json()["code"], listed.json()["results"][0]["code"]} == {"FOREIGN_PATIENT"}


async def test_what_never_was_a_visit_there_bars_nobody(door: Door) -> None:
    await ann_with(door, "another's")
    await door.post({"event_id": "e9", "appointment": {"id": "at HIV", "status": "entered-in-error"}})
    assert (await door.ask("PUT", "/v1/patients/ann", EVIL, key=await desk(door, "EYE"))).status_code == 200


async def test_a_cancelled_visit_and_one_of_a_merged_file_count_too(door: Door) -> None:
    await ann_with(door, "none")
    await door.post(booking("e1", "v1", clinic="HIV", patient={"id": "double"}, start="2020-03-12T10:00:00Z", end=None))
    await door.post({"event_id": "e2", "appointment": {"id": "v1", "status": "cancelled"}})
    assert (await door.ask("POST", "/v1/patients/double/merge", {"into": {"id": "ann"}})).status_code == 200
    assert (await door.ask("PUT", "/v1/patients/ann", EVIL, key=await desk(door, "EYE"))).status_code == 403


@pytest.mark.parametrize("visits", ["another's", "both"])
async def test_g9_a_merge_needs_the_right_to_both(door: Door, visits: str) -> None:
    await ann_with(door, visits)
    await door.put("/v1/patients/own", ANN)
    key, before = await desk(door, "EYE"), await door.counts()

    for one, into, place in (("ann", "own", "id"), ("own", "ann", "into")):
        refused = await door.ask("POST", f"/v1/patients/{one}/merge", {"into": {"id": into}}, key=key)
        assert (refused.status_code, refused.json()["code"]) == (403, "FOREIGN_PATIENT")
        assert refused.json()["errors"][0]["place"] == place
    assert await door.counts() == before
    seeing = await desk(door, "EYE", "HIV")
    merged = await door.ask("POST", "/v1/patients/own/merge", {"into": {"id": "ann"}}, key=seeing)
    assert merged.json()["result"] == "merged"


@pytest.mark.parametrize(
    ("visits", "taken"), [("none", True), ("its own", True), ("another's", False), ("both", False)]
)
async def test_d50_a_message_books_anybody_and_describes_only_whom_its_client_may_write(
    door: Door, visits: str, taken: bool
) -> None:
    await ann_with(door, visits)
    names = {"identifiers": [{"system": "Location", "value": "eye"}]}
    await door.put("/v1/clinics/EYE", {"name": "Eye Clinic", "zone": "Europe/London", **names})

    answer = await send(door, await desk(door, "EYE"), message())

    assert answer.status_code == 200, answer.text
    assert await mobile_of(door) == (EVIL if taken else ANN)["mobile"]
    warnings = await door.pool.fetchval("SELECT warnings FROM ingress WHERE key = 'm1'")
    assert warnings == ([] if taken else ["FOREIGN_PATIENT"])


async def test_g9_clinics_and_clinicians_are_entered_by_who_may_manage_them(door: Door) -> None:
    plain = await door.client(Client("plain", ("local",), may_register=True, may_set_policy=True))
    before = await door.counts()
    for path, body in (
        ("/v1/clinics/NEW", {"name": "New", "zone": "Europe/London"}),
        ("/v1/clinics/EYE", {"name": "Other", "zone": "Europe/London"}),
        ("/v1/providers/dr-who", {"name": "Dr No"}),
    ):
        refused = await door.ask("PUT", path, body, key=plain)
        assert (refused.status_code, refused.json()["code"]) == (403, "MAY_NOT_MANAGE_CLINICS")
    body = {"name": "X", "zone": "Europe/London"}
    foreign = await door.ask("PUT", "/v1/clinics/HIV", body, key=await desk(door, "EYE"))
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FOREIGN_CLINIC")
    assert await door.counts() == before
    assert (await door.ask("PUT", "/v1/providers/dr-who", {"name": "Dr Who"}, key=KEY)).status_code == 200
