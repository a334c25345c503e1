"""R34: may the patient be let in? What the clinic requires decides, and is kept with who let him in and why."""

from typing import Any

import orjson
import pytest

from booking.door.domain import Client
from tests.support.booking.check_ins import check_in, consent, require_consent, staff, withdraw
from tests.support.booking.door import KEY, OPERATOR_KEY, Door, booking


async def booked(door: Door, number: int = 1, **given: Any) -> str:
    told = await door.post(booking(f"e{number}", f"v{number}", **given))
    found: str = told["appointment_id"]
    return found


async def shown(door: Door, visit: str) -> dict[str, Any]:
    found: dict[str, Any] = (await door.ask("GET", f"/v1/appointments/{visit}")).json()
    return found


async def test_r34_a_visit_of_which_nothing_is_required_is_checked_in(door: Door) -> None:
    visit = await booked(door)

    told = (await check_in(door, visit)).json()

    assert (told["result"], told["version"], told["status"], told["mode"]) == ("applied", 2, "checked-in", "observe")
    assert (told["checked"], told["lacking"], told["overridden"], told["warnings"]) == ([], [], False, [])
    now = await shown(door, visit)
    assert (now["status"], now["current"]["caused_by"]) == ("checked-in", "check-in/local/arrival-1")
    [kept] = now["check_ins"]
    assert (kept["by"], kept["client"], kept["at_desk"], kept["version"]) == ("Ms Desk", "local", True, 2)


async def test_r34_what_lacks_is_said_with_whom_and_how_and_the_same_request_goes_through_once_it_is_there(
    door: Door,
) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)

    refused = await check_in(door, visit)

    assert (refused.status_code, refused.json()["code"]) == (409, "NOT_CLEARED")
    [lack] = refused.json()["errors"]
    assert (lack["place"], lack["code"]) == ("clearances.consent", "MISSING")
    assert "https://forms.example.org/mri" in lack["detail"]
    assert ((await shown(door, visit))["status"], (await shown(door, visit))["check_ins"]) == ("booked", [])

    await consent(door, key, visit)
    told = (await check_in(door, visit)).json()
    assert (told["result"], told["mode"], told["lacking"]) == ("applied", "enforce", [])
    assert told["checked"] == [{"kind": "consent", "form": "mri", "code": "CLEARED"}]


async def test_r34_what_was_withdrawn_lacks(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)
    await consent(door, key, visit)
    await withdraw(door, key, visit)

    refused = await check_in(door, visit)

    assert refused.status_code == 409
    assert [one["code"] for one in refused.json()["errors"]] == ["WITHDRAWN"]


async def test_r34_where_it_is_observed_he_is_let_in_and_told_what_lacks(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key, "observe")

    told = (await check_in(door, visit)).json()

    assert (told["result"], told["mode"], told["overridden"]) == ("applied", "observe", False)
    assert [(one["kind"], one["code"]) for one in told["lacking"]] == [("consent", "MISSING")]
    assert [one["code"] for one in told["warnings"]] == ["NOT_CLEARED"]
    assert (await door.ask("GET", "/v1/visit-flags")).json()["items"] == []


async def test_r34_who_may_override_does_so_with_a_name_and_a_reason_that_stay(door: Door) -> None:
    visit, key = await booked(door), await staff(door, may_override_clearance=True)
    await require_consent(door, key)

    told = (await check_in(door, visit, key, override=True, reason="Dr Who asks him herself")).json()

    assert (told["result"], told["overridden"], len(told["lacking"])) == ("applied", True, 1)
    [kept] = (await shown(door, visit))["check_ins"]
    assert (kept["overridden"], kept["by"], kept["reason"], kept["client"]) == (
        *(True, "Ms Desk", "Dr Who asks him herself", "staff"),
    )


async def test_r34_who_is_in_is_no_more_on_the_work_list_for_what_lacked_before(door: Door) -> None:
    visit, key = await booked(door), await staff(door, may_override_clearance=True)
    await require_consent(door, key)
    await consent(door, key, visit)
    await withdraw(door, key, visit)
    [flag] = (await door.ask("GET", "/v1/visit-flags")).json()["items"]
    assert flag["code"] == "CLEARANCE_MISSING"

    assert (await check_in(door, visit, key, override=True, reason="Dr Who asks him herself")).status_code == 200

    assert (await door.ask("GET", "/v1/visit-flags")).json()["items"] == []
    [done] = (await door.ask("GET", "/v1/visit-flags?state=done")).json()["items"]
    assert (done["flag_id"], done["done_by"]) == (flag["flag_id"], "check-in")


@pytest.mark.parametrize(
    ("told", "status", "code", "place"),
    [
        ({"override": True, "reason": "x"}, 403, "MAY_NOT_OVERRIDE", "override"),
        ({"override": "yes"}, 422, "WRONG_TYPE", "override"),
        ({"overide": True}, 422, "UNKNOWN_FIELD", "overide"),
        ({"event_id": None}, 422, "MISSING_FIELD", "event_id"),
        ({"event_id": " x"}, 422, "PADDED_ID", "event_id"),
        ({"by": "a\nb"}, 422, "CONTROL_CHARACTER", "by"),
        ({"reason": "x" * 201}, 422, "FIELD_TOO_LONG", "reason"),
    ],
)
async def test_a_request_that_cannot_be_is_refused_with_its_place(
    door: Door, told: dict[str, Any], status: int, code: str, place: str
) -> None:
    visit = await booked(door)
    answer = await check_in(door, visit, **told)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["errors"] == [{"place": place, "code": code}]
    assert (await shown(door, visit))["version"] == 1


@pytest.mark.parametrize(("lacks", "place"), [({"by": None}, "by"), ({}, "reason")])
async def test_an_override_says_who_and_why(door: Door, lacks: dict[str, Any], place: str) -> None:
    visit, key = await booked(door), await staff(door, may_override_clearance=True)
    answer = await check_in(door, visit, key, override=True, **lacks)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"place": place, "code": "MISSING_FIELD"}])


async def test_the_same_again_changes_nothing_and_says_what_was_checked(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)
    await consent(door, key, visit)
    first = (await check_in(door, visit)).json()

    again = (await check_in(door, visit)).json()
    assert again == {**first, "result": "repeat", "original_result": "applied"}
    other = (await check_in(door, visit, event_id="arrival-2")).json()
    assert (other["result"], other["version"], other["checked"]) == ("repeat", 2, first["checked"])
    assert len((await shown(door, visit))["check_ins"]) == 1


async def test_one_key_is_for_one_visit(door: Door) -> None:
    one, other = await booked(door), await booked(door, 2)
    assert (await check_in(door, one)).status_code == 200
    answer = await check_in(door, other)
    assert (answer.status_code, answer.json()["code"]) == (409, "EVENT_ID_CONFLICT")


async def test_a_dry_run_says_the_same_and_does_nothing(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)
    dry: dict[str, Any] = {"dry_run": True, "event_id": None}

    assert (await check_in(door, visit, **dry)).json()["code"] == "NOT_CLEARED"
    await consent(door, key, visit)
    before = await door.counts()
    told = (await check_in(door, visit, **dry)).json()

    assert (told["dry_run"], told["result"], told["event_id"], told["lacking"]) == (True, "applied", None, [])
    assert await door.counts() == before
    assert (await shown(door, visit))["check_ins"] == []


async def test_a_visit_is_named_as_its_source_does(door: Door) -> None:
    visit = await booked(door)
    answer = await door.ask("POST", "/v1/appointments/check-in?source=local&id=v1", {"event_id": "a"})
    assert (answer.json()["appointment_id"], answer.json()["result"]) == (visit, "applied")
    assert (await door.ask("POST", "/v1/appointments/check-in?id=none", {"event_id": "b"})).status_code == 404


async def test_g9_nobody_checks_in_whom_he_does_not_see(door: Door) -> None:
    visit = await booked(door)
    keys = {
        "source": await door.client(Client("other", ("other",))),
        "clinic": await door.client(Client("ent", ("local",), ("ENT",))),
    }
    for key in keys.values():
        answer = await check_in(door, visit, key)
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_APPOINTMENT")
    answer = await check_in(door, visit, OPERATOR_KEY)
    assert (answer.status_code, answer.json()["code"]) == (403, "OPERATOR_BOOKS_NOTHING")


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
async def test_nobody_is_checked_in_to_a_visit_that_is_off(door: Door, status: str) -> None:
    visit = await booked(door)
    await door.post({"event_id": "off", "appointment": {"id": "v1", "status": status}})
    answer = await check_in(door, visit)
    assert (answer.status_code, answer.json()["code"]) == (409, "ALREADY_CANCELLED")


@pytest.mark.parametrize("status", ["checked-in", "fulfilled"])
async def test_r34_what_upstream_reports_is_taken_flagged_and_named_in_its_event(door: Door, status: str) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)

    told = await door.post({"event_id": "in", "appointment": {"id": "v1", "status": status}})

    assert told["result"] == "applied"
    assert [one["code"] for one in told["warnings"]] == ["NOT_CLEARED"]
    now = await shown(door, visit)
    assert (now["status"], now["current"]["flags"]) == (status, ["NOT_CLEARED"])
    [kept] = now["check_ins"]
    assert (kept["at_desk"], kept["by"], [one["code"] for one in kept["lacking"]]) == (False, None, ["MISSING"])
    [flag] = (await door.ask("GET", "/v1/visit-flags", key=KEY)).json()["items"]
    assert (flag["code"], flag["appointment_id"], flag["version"]) == ("NOT_CLEARED", visit, 2)
    [row] = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'appointments' ORDER BY id DESC LIMIT 1")
    assert orjson.loads(row["value"])["flags"] == ["NOT_CLEARED"]
