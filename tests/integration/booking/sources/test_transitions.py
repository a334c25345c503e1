"""Steps of a source that is enforced: refused, kept for staff, and said so by a person for good (R33, 0052)."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from tests.support.booking.door import OPERATOR_KEY, Door, booking, running, send_inbound
from tests.support.installation import Installation
from tests.support.waiting import until

PATH = "/v1/sources/local/transitions"
ENFORCE = {"mode": "enforce", "reason": "a month without a warning"}
MANAGER = Client("desk", ("local",), may_manage_clinics=True)


def said(event_id: str, status: str, **given: Any) -> dict[str, Any]:
    return {"event_id": event_id, "appointment": {"id": "v1", "status": status}, **given}


async def enforced(door: Door) -> None:
    answer = await door.ask("PUT", PATH, ENFORCE, key=OPERATOR_KEY)
    assert (answer.status_code, answer.json()["changed"]) == (200, True)


async def flags(door: Door) -> list[str]:
    return [row["code"] for row in await door.pool.fetch("SELECT code FROM visit_flag ORDER BY flag_id")]


async def test_r33_what_the_table_lacks_is_taken_flagged_and_later_refused_with_nothing_changed(door: Door) -> None:
    await door.post([booking("e1"), said("e2", "fulfilled")])
    observed = await door.post(said("e3", "arrived"))
    assert [warned["code"] for warned in observed["warnings"]] == ["ILLEGAL_TRANSITION"]
    await enforced(door)
    before, raised = await door.counts(), await flags(door)

    answer = await door.ask("POST", "/v1/events", said("e4", "pending", reason="Ann was here by mistake"))

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "ILLEGAL_TRANSITION")
    assert problem["errors"] == [{"place": "appointment.status", "code": "ILLEGAL_TRANSITION"}]
    assert "from arrived to pending" in problem["detail"]
    assert "Ann" not in answer.text
    assert (await door.counts(), await flags(door)) == (before, raised)
    assert raised == ["ILLEGAL_TRANSITION"]


async def test_what_was_refused_is_on_the_list_for_staff_and_taken_once_the_source_is_observed(door: Door) -> None:
    await door.post([booking("e1"), said("e2", "entered-in-error")])
    await enforced(door)
    assert (await door.ask("POST", "/v1/events", said("e3", "booked"))).status_code == 409

    (kept,) = (await door.ask("GET", "/v1/inbound?code=ILLEGAL_TRANSITION", key=OPERATOR_KEY)).json()["items"]
    assert (kept["event_id"], kept["code"]) == ("e3", "ILLEGAL_TRANSITION")

    await door.ask("PUT", PATH, {"mode": "observe"}, key=OPERATOR_KEY)
    assert (await door.post(said("e3", "booked")))["result"] == "applied"
    assert (await door.ask("GET", "/v1/inbound?code=ILLEGAL_TRANSITION", key=OPERATOR_KEY)).json()["items"] == []


async def test_a_correction_takes_a_reason_and_the_right(door: Door) -> None:
    await door.post([booking("e1"), said("e2", "arrived")])
    await enforced(door)
    key = await door.client(replace(MANAGER, client_id="corrects", may_correct=True))
    back = said("e3", "booked", reason="it was another Ann")

    without_right = await door.ask("POST", "/v1/events", back)
    without_reason = await door.ask("POST", "/v1/events", said("e3", "booked"), key=key)
    taken = (await door.ask("POST", "/v1/events", back, key=key)).json()

    assert [one.status_code for one in (without_right, without_reason)] == [409, 409]
    assert "may not correct" in without_right.json()["detail"]
    assert (taken["result"], taken["warnings"]) == ("applied", [])


async def test_a_fact_is_taken_in_enforce_and_in_one_batch_each_step_stands_for_itself(door: Door) -> None:
    await enforced(door)
    batch = [booking("e1", status="arrived"), said("e2", "proposed"), said("e3", "fulfilled"), said("e4", "waitlist")]

    results = (await door.post(batch))["results"]

    assert [one["status"] for one in results] == [200, 409, 200, 409]
    assert [warned["code"] for warned in results[0]["warnings"] if "UNKNOWN" not in warned["code"]] == [
        "FACT_BEFORE_BOOKING"
    ]
    assert await flags(door) == ["FACT_BEFORE_BOOKING"]
    again = (await door.post(batch))["results"]
    assert [one["result"] if one["status"] == 200 else one["code"] for one in again] == [
        *("repeat", "ILLEGAL_TRANSITION", "repeat", "ILLEGAL_TRANSITION")
    ]


async def test_another_source_is_judged_by_its_own_mode(door: Door) -> None:
    key = await door.client(Client("both", ("local", "other"), may_register=True))
    await enforced(door)
    events = [booking("e1"), said("e2", "fulfilled"), said("e3", "booked")]
    answers = [
        await door.ask("POST", f"/v1/events?source={source}", {**body, "event_id": source + body["event_id"]}, key)
        for source in ("local", "other")
        for body in events
    ]
    assert [one.status_code for one in answers] == [200, 200, 409, 200, 200, 200]


async def test_the_mode_is_told_and_each_change_of_it_kept_newest_first(door: Door) -> None:
    assert (await door.ask("GET", PATH)).json() == {
        "source": "local", "mode": "observe", "changed_at": None, "changed_by": None, "reason": None,
    }  # fmt: skip
    await enforced(door)
    again = (await door.ask("PUT", PATH, ENFORCE, key=OPERATOR_KEY)).json()
    assert (again["changed"], again["mode"], again["changed_by"]) == (False, "enforce", "operator")
    await door.ask("PUT", PATH, {"mode": "observe"}, key=await door.client(MANAGER))

    first = (await door.ask("GET", f"{PATH}/changes?limit=1")).json()
    rest = (await door.ask("GET", f"{PATH}/changes?limit=2&before={first['next_before']}")).json()
    told = [(one["mode"], one["changed_by"], one["reason"]) for one in first["items"] + rest["items"]]
    assert told == [("observe", "desk", None), ("enforce", "operator", ENFORCE["reason"])]
    assert rest["next_before"] is None


@pytest.mark.parametrize(
    ("client", "path", "body", "status", "code"),
    [
        (Client("plain", ("local",)), PATH, ENFORCE, 403, "MAY_NOT_MANAGE_CLINICS"),
        (MANAGER, PATH.replace("local", "other"), ENFORCE, 403, "FOREIGN_SOURCE"),
        (replace(MANAGER, clinics=("CARDIO",)), PATH, ENFORCE, 403, "FOREIGN_CLINIC"),
        (MANAGER, PATH, {}, 422, "MISSING_FIELD"),
        (MANAGER, PATH, {"mode": "strict"}, 422, "UNKNOWN_MODE"),
        (MANAGER, PATH, {"mode": "enforce", "since": "now"}, 422, "UNKNOWN_FIELD"),
        (MANAGER, PATH, {"mode": "enforce", "reason": "a\nb"}, 422, "CONTROL_CHARACTER"),
        (MANAGER, PATH, ENFORCE, 200, None),
    ],
)
async def test_g9_a_mode_is_set_by_the_operator_or_a_client_of_that_source_with_the_right(
    door: Door, client: Client, path: str, body: dict[str, Any], status: int, code: str | None
) -> None:
    answer = await door.ask("PUT", path, body, key=await door.client(client))
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_fhir_says_the_same_in_its_own_words(door: Door) -> None:
    actor = {"actor": {"type": "Patient", "identifier": {"value": "ann"}}, "status": "accepted"}
    place = {"actor": {"reference": "Location/EYE"}, "status": "accepted"}
    whole = {"resourceType": "Appointment", "id": "v1", "start": "2027-03-12T10:00:00Z", "end": "2027-03-12T10:30:00Z"}
    await door.put("/v1/clinics/EYE", {
        "name": "Eye Clinic", "zone": "Europe/London", "country": "GB",
        "identifiers": [{"system": "Location", "value": "EYE"}],
    })  # fmt: skip
    await enforced(door)

    async def sent(status: str) -> Any:
        body = {**whole, "status": status, "participant": [actor, place]}
        return await door.ask("POST", "/fhir/R4/Appointment", body, content_type="application/fhir+json")

    assert [(await sent(status)).status_code for status in ("fulfilled", "waitlist")] == [201, 409]
    refused = await sent("waitlist")
    assert refused.json()["issue"][0]["details"]["coding"][0]["code"] == "ILLEGAL_TRANSITION"
    assert refused.json()["issue"][0]["code"] == "conflict"


async def test_on_a_topic_it_is_a_dead_letter_with_the_same_code_and_can_be_replayed(
    served: Door, installation: Installation
) -> None:
    await enforced(served)
    bodies = [booking("e1"), said("e2", "fulfilled"), said("e3", "pending"), said("e4", "entered-in-error")]
    await send_inbound(installation, *(("v1", orjson.dumps(body)) for body in bodies))
    async with running(served):
        await until(served.service.consumer.idle)

        async def all_are_answered() -> bool:
            return bool(await served.pool.fetchval("SELECT count(DISTINCT key) = 3 FROM ingress"))

        await until(all_are_answered)
        await until(served.service.consumer.idle)
    rows = await served.pool.fetch("SELECT code FROM dead_letter")
    assert [row["code"] for row in rows] == ["ILLEGAL_TRANSITION"]
    told = (await served.ask("GET", "/v1/inbound/e3")).json()
    assert (told["result"], told["code"]) == ("refused", "ILLEGAL_TRANSITION")
    assert await served.pool.fetchval("SELECT status FROM appointment") == "entered-in-error"
