"""A service type gives its own reminder policy up and has the clinic's again (D13, D14, B4)."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.integration.booking.policies.policy import (
    PATH,
    WEEK,
    change,
    current,
    kept,
    put,
    slugs,
    tried,
    visits,
    worked_off,
)
from tests.support.booking.door import OPERATOR_KEY, Door

MRI = f"{PATH}?service_type=MRI"


async def unset(door: Door) -> dict[str, Any]:
    answer = await door.ask("DELETE", MRI, key=OPERATOR_KEY)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_it_has_the_clinics_rules_from_then_on_and_what_is_ahead_is_reissued(door: Door) -> None:
    await put(door, WEEK)
    await put(door, {"service_type": "MRI", "rules": [{"lead_days": 3}, {"lead_hours": 24}]})
    far, near = await visits(door, 24 * 30, 24 * 4, service_type="MRI")
    (other,) = await visits(door, 24 * 31, service_type="Check")
    await worked_off(door)

    plan = await tried(door, {"service_type": "MRI", "unset": True})
    told = await unset(door)
    await worked_off(door)

    assert (told["changed"], told["own"], told["service_types_with_own"]) == (True, False, [])
    made = await change(door, 3)
    assert (made["unset"], made["service_type"]) == (True, "MRI")
    assert [rule["slug"] for rule in made["to"]["rules"]] == ["7d-2", "24h", "2h-2"]  # it had two of them before
    for visit in (far, near):
        snapshot = await current(door, visit)
        assert (snapshot["version"], snapshot["schedule_gen"], slugs(snapshot)) == (2, 1, ["7d-2", "24h", "2h-2"])
        assert snapshot["caused_by"] == "reminder-policy/EYE/3"
    assert (await current(door, other))["version"] == 1
    assert plan["ahead"] == {name: made["reissue"][name] for name in plan["ahead"]}
    assert (plan["ahead"]["appointments"], plan["ahead"]["too_late"]) == (2, 1)


async def test_d14_moments_of_the_clinics_rules_that_are_past_by_then_are_not_sent(door: Door) -> None:
    """The clinic had its rule before the visit was booked; for this visit it is in force since the change."""
    clinics = (await put(door, WEEK))["rules"]
    own = await put(door, {"service_type": "MRI", "rules": [{"lead_hours": 24}]})
    (visit,) = await visits(door, 24 * 4, service_type="MRI")

    at = (await unset(door))["change"]["set_at"]
    await worked_off(door)

    since = {rule["slug"]: rule["in_force_since"] for rule in (await current(door, visit))["policy"]["rules"]}
    then = (await door.ask("GET", MRI)).json()["rules"]
    assert since == {rule["slug"]: rule["in_force_since"] for rule in then}
    assert since["24h"] == own["rules"][0]["in_force_since"]
    assert since["7d-2"] > clinics[0]["in_force_since"]
    assert since["7d-2"][:19] == at[:19]


async def test_later_changes_of_the_clinic_concern_it_again_and_it_may_have_its_own_again(door: Door) -> None:
    await put(door, {"service_type": "MRI", "rules": [{"lead_days": 3}]})
    (visit,) = await visits(door, 24 * 30, service_type="MRI")
    await unset(door)
    await put(door, {"rules": [{"lead_hours": 48}]})
    await worked_off(door)
    assert slugs(await current(door, visit)) == ["48h"]

    again = await put(door, {"service_type": "MRI", "rules": [{"lead_days": 3}]})
    await worked_off(door)

    assert [rule["slug"] for rule in again["rules"]] == ["3d-2"]
    assert slugs(await current(door, visit)) == ["3d-2"]


async def test_one_without_its_own_changes_nothing(door: Door) -> None:
    before = await kept(door)

    told = await unset(door)

    assert (told["changed"], told["change"]) == (False, None)
    assert await kept(door) == before


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("DELETE", PATH, None, 422, "MISSING_FIELD"),
        ("DELETE", f"{PATH}?service_type=%00", None, 422, "CONTROL_CHARACTER"),
        ("DELETE", "/v1/clinics/NONE/reminder-policy?service_type=MRI", None, 404, "UNKNOWN_CLINIC"),
        ("POST", f"{PATH}/plan", {"unset": True}, 422, "MISSING_FIELD"),
        ("POST", f"{PATH}/plan", {"service_type": "MRI"}, 422, "MISSING_FIELD"),
    ],
)
async def test_what_cannot_be_given_up_is_refused_with_its_code(
    door: Door, method: str, path: str, body: object, status: int, code: str
) -> None:
    answer = await door.ask(method, path, body, key=OPERATOR_KEY)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_who_may_not_set_a_policy_may_not_give_one_up(door: Door) -> None:
    plain = await door.client(Client("plain", ("local",)))

    answer = await door.ask("DELETE", MRI, key=plain)

    assert (answer.status_code, answer.json()["code"]) == (403, "MAY_NOT_SET_POLICY")
