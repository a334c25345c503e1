"""R34: who is let in is a person: the desk may say whom it sees, and a visit that is given away has let in nobody."""

from typing import Any

import pytest

from tests.support.booking.check_ins import check_in, consent, require_consent, staff
from tests.support.booking.door import Door, booking

OVERRIDDEN: dict[str, Any] = {"override": True, "reason": "Dr Who asks him herself"}


async def booked(door: Door, event_id: str = "e1", patient: str = "ann") -> str:
    found: str = (await door.post(booking(event_id, patient={"id": patient})))["appointment_id"]
    return found


async def shown(door: Door, visit: str) -> dict[str, Any]:
    found: dict[str, Any] = (await door.ask("GET", f"/v1/appointments/{visit}")).json()
    return found


@pytest.mark.parametrize(("seen", "code"), [("ann", None), ("ben", "CHANGED_MEANWHILE"), ("cid", "CHANGED_MEANWHILE")])
async def test_r34_whoever_is_checked_in_is_whom_the_desk_names(door: Door, seen: str, code: str | None) -> None:
    visit = await booked(door)
    await door.put("/v1/patients/ben", {"given_name": "Ben"})
    told = (await check_in(door, visit, patient=seen)).json()
    assert told.get("code") == code
    assert (await shown(door, visit))["status"] == ("booked" if code else "checked-in")
    if code:
        assert told["errors"][0]["place"] == "patient"


async def test_r34_who_was_merged_is_checked_in_under_either_name_and_either_id(door: Door) -> None:
    for name in ("ann", "ben"):
        await door.put(f"/v1/patients/{name}", {"given_name": name})
    visit = await booked(door)
    was = (await shown(door, visit))["current"]["patient_id"]
    assert (await door.ask("POST", "/v1/patients/ann/merge", {"into": {"id": "ben"}})).status_code == 200
    for seen in ("ann", "ben", was, (await shown(door, visit))["current"]["patient_id"]):
        answer = await check_in(door, visit, dry_run=True, event_id=None, patient=seen)
        assert answer.status_code == 200, (seen, answer.text)
    assert (await check_in(door, visit)).status_code == 200


async def test_r34_an_override_lets_in_one_person_and_not_whoever_has_the_visit_next(door: Door) -> None:
    visit, key = await booked(door), await staff(door, may_override_clearance=True)
    await require_consent(door, key)
    assert (await check_in(door, visit, key, **OVERRIDDEN)).status_code == 200

    await booked(door, "swap", "ben")

    assert (await shown(door, visit))["status"] == "booked"
    assert (await check_in(door, visit, key, event_id="a-2")).json()["code"] == "NOT_CLEARED"
    late = await check_in(door, visit, key, event_id="a-3", patient="ann", **OVERRIDDEN)
    assert (late.status_code, late.json()["code"]) == (409, "CHANGED_MEANWHILE")


async def test_r34_whom_upstream_puts_in_the_place_of_who_is_in_is_judged_for_himself(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)
    await consent(door, key, visit)
    await door.post({"event_id": "in", "appointment": {"id": "v1", "status": "checked-in"}})

    told = await door.post(
        {"event_id": "swap", "appointment": {"id": "v1", "status": "checked-in", "patient": {"id": "ben"}}}
    )

    assert [one["code"] for one in told["warnings"]] == ["NOT_CLEARED"]
    [flag] = (await door.ask("GET", "/v1/visit-flags")).json()["items"]
    assert (flag["code"], flag["version"]) == ("NOT_CLEARED", 3)
