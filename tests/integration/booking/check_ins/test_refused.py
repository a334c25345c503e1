"""R34: a check-in that is refused at our own door changes nothing, and is kept: once, however often it is asked for."""

from typing import Any

import pytest

from tests.support.booking.check_ins import check_in, consent, require_consent, staff, withdraw
from tests.support.booking.door import Door, booking


async def booked(door: Door, **given: Any) -> str:
    found: str = (await door.post(booking(**given)))["appointment_id"]
    return found


async def refused(door: Door, visit: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await door.ask("GET", f"/v1/appointments/{visit}")).json()["refused_check_ins"]
    return found


async def test_r34_who_was_turned_away_when_and_for_what_is_kept(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)

    assert (await check_in(door, visit)).status_code == 409

    [kept] = await refused(door, visit)
    assert (kept["code"], kept["version"], kept["status"], kept["mode"]) == ("NOT_CLEARED", 1, "booked", "enforce")
    assert (kept["client"], kept["by"]) == ("local", "Ms Desk")
    assert [(one["kind"], one["code"]) for one in kept["lacking"]] == [("consent", "MISSING")]
    told = (await door.ask("GET", f"/v1/appointments/{visit}")).json()
    assert (told["version"], told["check_ins"]) == (1, [])


async def test_r34_asking_again_is_one_entry_and_another_state_or_person_is_another(door: Door) -> None:
    visit, key = await booked(door), await staff(door)
    await require_consent(door, key)
    for number in range(5):
        assert (await check_in(door, visit, event_id=f"a-{number}")).status_code == 409
        assert (await check_in(door, visit)).status_code == 409
    assert len(await refused(door, visit)) == 1

    await check_in(door, visit, by="Mr Other")
    await consent(door, key, visit)
    await withdraw(door, key, visit)
    await check_in(door, visit)
    await check_in(door, visit)

    lacked = [(one["by"], one["lacking"][0]["code"]) for one in await refused(door, visit)]
    assert lacked == [("Ms Desk", "MISSING"), ("Mr Other", "MISSING"), ("Ms Desk", "WITHDRAWN")]
    await consent(door, key, visit, "consent-2")
    assert (await check_in(door, visit)).json()["result"] == "applied"
    assert len(await refused(door, visit)) == 3


@pytest.mark.parametrize(
    ("before", "told", "code"),
    [
        ("pending", {"reason": "walked in"}, "ILLEGAL_TRANSITION"),
        ("fulfilled", {}, "ILLEGAL_TRANSITION"),
        ("booked", {"patient": "cid"}, "CHANGED_MEANWHILE"),
        ("booked", {"override": True, "reason": "x"}, None),
        ("booked", {"dry_run": True, "patient": "cid"}, None),
    ],
)
async def test_r34_what_the_state_of_the_visit_refuses_is_kept_and_what_the_request_is_wrong_in_is_not(
    door: Door, before: str, told: dict[str, Any], code: str | None
) -> None:
    visit = await booked(door, status=before)
    assert (await check_in(door, visit, **told)).status_code in {403, 409}
    assert [(one["code"], one["status"]) for one in await refused(door, visit)] == [(code, before)] * (code is not None)
