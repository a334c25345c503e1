"""A booking of a patient or clinician whom nobody made known says so by every way in, and only while it is so."""

from typing import Any

from booking.door.domain import Client
from tests.support.booking.door import Door, booking

ANN = {"given_name": "Ann", "mobile": "+447736312544"}
BOTH = ["UNKNOWN_PATIENT", "UNKNOWN_PROVIDER"]


def codes(answer: dict[str, Any]) -> list[str]:
    return [one["code"] for one in answer["warnings"]]


async def kept(door: Door, event: str) -> list[str]:
    return codes((await door.ask("GET", f"/v1/inbound/{event}")).json())


async def test_each_of_a_batch_says_it_of_those_it_names_and_the_fate_keeps_it(door: Door) -> None:
    await door.put("/v1/patients/bob", ANN)
    await door.put("/v1/providers/dr-no", {"name": "Dr. No"})
    bodies = [
        booking(), booking("e2", "v2", patient={"id": "bob"}), booking("e3", "v3", provider={"id": "dr-no"}),
        booking("e4", "v4", patient={"id": "bob"}, provider={"id": "dr-no"}),
        {"event_id": "e5", "appointment": {"id": "v1", "status": "booked", "service_type": "Scan"}},
        booking("e6", "v1", status="cancelled"),
    ]  # fmt: skip
    answers = (await door.post({"events": bodies}))["results"]
    assert list(map(codes, answers)) == [BOTH, ["UNKNOWN_PROVIDER"], ["UNKNOWN_PATIENT"], [], [], []]
    assert [await kept(door, f"e{n}") for n in (1, 2, 3, 4)] == [BOTH, ["UNKNOWN_PROVIDER"], ["UNKNOWN_PATIENT"], []]


async def test_it_is_said_no_more_once_they_are_known(door: Door) -> None:
    assert codes(await door.post(booking())) == BOTH
    assert codes(await door.post(booking())) == BOTH
    await door.put("/v1/patients/ann", ANN)
    assert codes(await door.post(booking())) == ["UNKNOWN_PROVIDER"]
    assert await kept(door, "e1") == ["UNKNOWN_PROVIDER"]
    await door.put("/v1/providers/dr-who", {"name": "Dr. Who"})
    again = await door.post(booking())
    assert (again["result"], codes(again), await kept(door, "e1")) == ("repeat", [], [])


async def test_in_fhir_it_is_an_outcome_beside_the_appointment(door: Door) -> None:
    key = await door.client(Client("sender", ("local",), default_clinic="EYE"))
    actors = [{"reference": "Patient/zoe"}, {"reference": "Practitioner/zed"}]
    body = {
        "resourceType": "Appointment", "id": "f1", "status": "booked", "start": "2027-03-12T10:00:00Z",
        "end": "2027-03-12T10:30:00Z", "participant": [{"actor": one, "status": "accepted"} for one in actors],
    }  # fmt: skip
    answer = await door.ask("POST", "/fhir/R4/Appointment", body, key=key)
    assert answer.headers["attend-warnings"] == ", ".join(BOTH)
    (outcome,) = answer.json()["contained"]
    assert [issue["details"]["coding"][0]["code"] for issue in outcome["issue"]] == BOTH
    assert outcome["issue"][0]["expression"] == ["appointment.patient"]


async def test_whoever_is_described_by_a_client_that_may_register_is_known_by_it(door: Door) -> None:
    body = {
        "resourceType": "Appointment", "id": "f1", "status": "booked", "start": "2027-03-12T10:00:00Z",
        "end": "2027-03-12T10:30:00Z",
        "contained": [{"resourceType": "Patient", "id": "p", "identifier": [{"value": "zoe"}],
                       "name": [{"given": ["Zoe"]}]}],
        "participant": [{"actor": {"reference": "#p"}, "status": "accepted"}],
    }  # fmt: skip
    key = await door.client(Client("registers", ("local",), default_clinic="EYE", may_register=True))
    answer = await door.ask("POST", "/fhir/R4/Appointment", body, key=key)
    assert (answer.status_code, answer.headers.get("attend-warnings")) == (201, None)
