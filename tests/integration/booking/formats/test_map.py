"""What a message would come to is asked, and is what it then comes to; the question leaves nothing behind (0063)."""

import io
from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from tests.support.booking.door import OPERATOR_KEY, Door, booking
from tests.support.booking.hl7 import header, siu

HL7, JSON, FHIR = "application/hl7-v2", "application/json", "application/fhir+json"
PLACE = {"name": "Eye Clinic", "zone": "Europe/London", "country": "GB"}
IN_CLINIC = {"PV1": "PV1|1|O|^^^BARTS"}
MOVED = siu("S13", number="2", SCH="SCH|P1|F1|||||X||30|min|^^30^20270319100000+0000", **IN_CLINIC)
ADT = "\r".join([header("A31", kind="ADT"), "PID|1||77^^^EYE^MR||Meier^Anna", ""]).encode()


async def mapped(door: Door, body: object, type_: str = JSON, query: str = "", **given: Any) -> dict[str, Any]:
    """Return a body explained."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    answer = await door.ask("POST", f"/v1/sources/local/map{query}", content, content_type=type_, **given)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(autouse=True)
async def known_place(door: Door) -> None:
    """Let the place of the messages of HL7 v2 be the clinic."""
    await door.put("/v1/clinics/EYE", {**PLACE, "identifiers": [{"system": "PV1-3.4", "value": "BARTS"}]})


CASES: dict[str, tuple[object, str, list[str]]] = {
    "a booking in HL7 v2": (siu(**IN_CLINIC), HL7, ["applied"]),
    "at a clinic of nobody": (siu(PV1="PV1|1|O|^^^ROYAL"), HL7, ["UNKNOWN_CLINIC at appointment.clinic"]),
    "without SCH": (siu(SCH=""), HL7, ["NO_SCH at SCH"]),
    "a slot that is blocked": (siu("S23"), HL7, ["ignored"]),
    "of a patient alone": (ADT, HL7, ["told"]),
    "of laboratory": (ADT.replace(b"ADT", b"ORU"), HL7, ["UNSUPPORTED_MESSAGE at MSH-9.1"]),
    "several messages, a bad one among them": (
        siu(**IN_CLINIC) + siu(SCH="") + MOVED + ADT, HL7, ["applied", "NO_SCH at SCH", "applied", "told"],
    ),
    "no message at all": (b"Dear Sirs", HL7, ["NOT_HL7 at MSH"]),
    "a cancellation of what nobody booked": (siu("S15", word="", **IN_CLINIC), HL7, ["tombstone"]),
    "our own": (booking(), JSON, ["applied"]),
    "the same twice": ([booking(), booking()], JSON, ["applied", "repeat"]),
    "one id for two events": (
        [booking(), booking(start="2027-03-13T10:00Z")], JSON, ["applied", "EVENT_ID_CONFLICT at event_id"],
    ),
    "another source in it": (booking() | {"source": "other"}, JSON, ["FOREIGN_SOURCE at source"]),
    "JSON that is cut off": (b'{"event_id": "e1"', JSON, ["TRUNCATED_JSON at line 1 column 18"]),
    "an array that is empty": ([], JSON, ["EMPTY_BATCH at events"]),
    "a resource of another kind": ({"resourceType": "Patient"}, FHIR, ["NOT_AN_APPOINTMENT at resourceType"]),
}  # fmt: skip


def outcome(one: dict[str, Any]) -> str:
    refusal = one["refusal"]
    if refusal is None:
        return str(one["outcome"])
    return " at ".join(filter(None, (refusal["code"], refusal["place"])))


@pytest.mark.parametrize("name", CASES)
async def test_b17_what_would_become_of_a_body_is_told_and_nothing_of_it_is_kept(door: Door, name: str) -> None:
    body, type_, expected = CASES[name]
    before = await door.counts()

    found = await mapped(door, body, type_)

    assert [outcome(one) for one in found["messages"]] == expected
    assert found["refused"] == sum(one["outcome"] == "refused" for one in found["messages"])
    assert await door.counts() == before


async def test_what_is_told_is_what_then_becomes_of_it(door: Door) -> None:
    for body in (siu(**IN_CLINIC), MOVED, siu("S15", word="", number="3", **IN_CLINIC), siu(**IN_CLINIC)):
        (told,) = (await mapped(door, body, HL7))["messages"]
        answer = (await door.ask("POST", "/v1/events", body, content_type=HL7)).json()

        assert (told["outcome"], told["event_id"]) == (answer["result"], answer["event_id"])
        assert told["warnings"] == answer["warnings"]
        assert (told["after"] or {"version": 0})["version"] == (answer["version"] if told["after"] else 0)
        cancelled = [one for one in told["reminders"] if one["becomes"] == "cancelled"]
        assert len(cancelled) == answer.get("reminders_cancelled", 0)


async def test_which_reminders_would_be_planned_and_which_taken_back(door: Door) -> None:
    (booked,) = (await mapped(door, booking()))["messages"]
    await door.post(booking())
    move = {"event_id": "e2", "appointment": {"id": "v1", "status": "booked", "start": "2027-03-20T10:00Z"}}
    (moved,) = (await mapped(door, move))["messages"]

    assert {one["becomes"] for one in booked["reminders"]} == {"planned"}
    due = {(one["rule"], one["due"]) for one in booked["reminders"]}
    assert due
    back = {(one["rule"], one["due"]) for one in moved["reminders"] if one["reason"] == "RESCHEDULED"}
    assert back == due
    assert (moved["before"]["version"], moved["after"]["version"]) == (1, 2)
    assert moved["before"]["starts_at"] == "2027-03-12T10:00:00Z"


async def test_what_contradicts_itself_would_be_on_the_work_list_also_where_it_changes_nothing(door: Door) -> None:
    (new,) = (await mapped(door, siu("S13", word="Cancelled", **IN_CLINIC), HL7))["messages"]
    await door.ask("POST", "/v1/events", siu("S13", word="Cancelled", **IN_CLINIC), content_type=HL7)
    (again,) = (await mapped(door, siu("S13", word="Cancelled", number="9", **IN_CLINIC), HL7))["messages"]

    assert [(one["outcome"], one["flags"]) for one in (new, again)] == [
        ("applied", ["HELD_BACK"]),
        ("repeat", ["HELD_BACK"]),
    ]
    assert "HELD_BACK" in {one["code"] for one in new["warnings"]}


async def test_by_its_profile_each_value_says_where_it_came_from(door: Door) -> None:
    profile = {"zone": "Europe/London", "hl7v2": {"clinics": {"BARTS": "EYE"}}}
    given = await door.ask("PUT", "/v1/sources/local/profile", {"profile": profile})
    assert given.status_code == 200, given.text

    found = await mapped(door, siu(SCH="SCH|P1|F1|||||X||30|min|^^30^202703121000", **IN_CLINIC), HL7)

    fields = {one["field"]: one for one in found["messages"][0]["fields"]}
    start = {"place": "SCH-11.4", "knob": "hl7v2.times.start", "set_by": "default"}
    clinic = {"place": "PV1-3.4", "knob": "hl7v2.clinics", "set_by": "profile", "rule": ""}
    assert fields["starts_at"]["origins"] == [{**start, "rule": "without offset: read in Europe/London"}]
    assert fields["clinic"]["origins"] == [clinic]
    assert found["profile_version"] == 1


async def test_values_are_shown_only_when_they_are_asked_for_and_are_never_logged(
    door: Door, written: io.StringIO
) -> None:
    hidden = await mapped(door, siu(**IN_CLINIC), HL7)
    shown = await mapped(door, siu(**IN_CLINIC), HL7, "?values=true")
    secrets = ("Meier", "Anna", "07700 900123", "EYE|77")
    assert not [one for one in secrets if one in orjson.dumps(hidden).decode()]
    assert [one for one in secrets if one in orjson.dumps(shown).decode()] == list(secrets)
    assert not [one for one in secrets if one in written.getvalue()]


async def test_whoever_may_not_send_for_a_source_may_not_ask_either(door: Door) -> None:
    other = await door.client(Client("other", ("other",)))
    foreign = await door.ask("POST", "/v1/sources/local/map", booking(), key=other)
    operator = await door.ask("POST", "/v1/sources/local/map", booking(), key=OPERATOR_KEY)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "FOREIGN_SOURCE")
    assert operator.status_code in {401, 403}


async def test_more_messages_than_a_batch_has_are_none(door: Door) -> None:
    answer = await door.ask("POST", "/v1/sources/local/map", siu() * 1_001, content_type=HL7)
    assert (answer.status_code, answer.json()["code"]) == (413, "BATCH_TOO_LARGE")
