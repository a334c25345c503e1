"""Reminder policies over HTTP: rules per clinic and service type, slugs, versions, audit, refusals (D13)."""

import asyncpg
import orjson
import pytest

from booking.door.domain import Client
from tests.integration.booking.policies.policy import PATH, WEEK, current, kept, put, slugs, visits
from tests.support.booking.door import OPERATOR_KEY, Door


async def test_d13_a_clinic_without_a_policy_has_the_default(door: Door) -> None:
    shown = (await door.ask("GET", PATH)).json()
    assert (shown["policy_id"], shown["own"]) == ("EYE/default", False)
    assert [rule["slug"] for rule in shown["rules"]] == ["24h", "2h"]


async def test_d13_a_policy_is_stamped_into_what_is_booked_from_then_on(door: Door) -> None:
    told = await put(door, WEEK)
    assert (told["policy_id"], told["changed"], told["change"]["version"]) == ("EYE/1", True, 1)
    (visit,) = await visits(door, 24 * 30)
    snapshot = await current(door, visit)
    assert (snapshot["policy"]["policy_id"], slugs(snapshot)) == ("EYE/1", ["7d", "24h", "2h"])


async def test_the_same_rules_in_any_order_make_no_new_version(door: Door) -> None:
    first = await put(door, WEEK)
    again = await put(door, {"rules": WEEK["rules"][::-1]})
    assert (again["changed"], again["change"], again["rules"]) == (False, None, first["rules"])
    assert await door.pool.fetchval("SELECT count(*) FROM reminder_policy") == 1


async def test_a_rule_kept_keeps_its_slug_and_one_that_comes_back_gets_a_new_one(door: Door) -> None:
    first = await put(door, {"rules": [{"lead_hours": 24}, {"lead_days": 3}]})
    assert [rule["slug"] for rule in first["rules"]] == ["3d", "24h"]
    default = (await door.ask("GET", f"{PATH}/changes/1")).json()["from"]["rules"][0]
    assert first["rules"][1] == default
    await put(door, {"rules": [{"lead_hours": 24}]})
    back = await put(door, {"rules": [{"lead_hours": 24}, {"lead_days": 3}, {"lead_hours": 2}]})
    assert [rule["slug"] for rule in back["rules"]] == ["3d-2", "24h", "2h-2"]


async def test_d13_a_service_type_has_its_own_rules_or_the_clinics(door: Door) -> None:
    await put(door, {"service_type": "MRI", "rules": [{"lead_days": 3}, {"lead_hours": 24}]})
    await put(door, {"rules": [{"lead_hours": 48}]})
    mri, check = await visits(door, 24 * 30, service_type="MRI"), await visits(door, 24 * 31, service_type="Check")
    assert slugs(await current(door, mri[0])) == ["3d", "24h"]
    assert slugs(await current(door, check[0])) == ["48h"]
    shown = (await door.ask("GET", f"{PATH}?service_type=MRI")).json()
    assert (shown["own"], shown["service_types_with_own"]) == (True, ["MRI"])


async def test_another_service_begins_the_schedule_anew_only_if_its_rules_differ(door: Door) -> None:
    await put(door, {"service_type": "MRI", "rules": [{"lead_days": 3}]})
    (visit,) = await visits(door, 24 * 30)
    found = []
    for n, service in enumerate(("X-ray", "MRI", "MRI")):
        await door.post(
            {"event_id": f"s{n}", "appointment": {"id": f"v0-{24 * 30}", "status": "booked", "service_type": service}}
        )
        found.append((await current(door, visit))["schedule_gen"])
    assert found == [1, 2, 2]


async def test_every_change_tells_who_when_from_what_to_what_and_cannot_be_rewritten(door: Door) -> None:
    key = await door.client(Client("desk", ("local",), ("EYE",), may_set_policy=True))
    await put(door, WEEK)
    await put(door, {"rules": []}, key=key)
    items = (await door.ask("GET", f"{PATH}/changes")).json()["items"]
    assert [(item["version"], item["set_by"]) for item in items] == [(2, "desk"), (1, "operator")]
    assert items[0]["from"] == items[1]["to"]
    assert (items[0]["to"]["rules"], items[1]["from"]["policy_id"]) == ([], "EYE/default")
    for statement in ("UPDATE reminder_policy SET set_by = 'x'", "DELETE FROM reminder_rule"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await door.pool.execute(statement)


async def test_the_clinic_is_published_with_its_own_policy(door: Door) -> None:
    await put(door, WEEK)
    await put(door, {"service_type": "MRI", "rules": []})
    values = await door.pool.fetch("SELECT value FROM outbox WHERE topic = 'clinics' ORDER BY id")
    published = [orjson.loads(row["value"]) for row in values]
    assert [(clinic["version"], clinic["policy"]["policy_id"]) for clinic in published] == [
        (1, "EYE/default"),
        (2, "EYE/1"),
    ]
    told = await door.put("/v1/clinics/EYE", {"name": "Eye", "zone": "Europe/London", "country": "GB"})
    assert (told["version"], (await door.ask("GET", PATH)).json()["policy_id"]) == (3, "EYE/1")


RULE = {"lead_hours": 24}


BAD: list[tuple[object, int, str, str | None]] = [
    ({}, 422, "MISSING_FIELD", "rules"),
    (b"", 400, "EMPTY_BODY", None),
    (b'{"rules": [', 400, "TRUNCATED_JSON", "line 1 column 12"),
    ([], 422, "WRONG_TYPE", None),
    ({"rules": {}}, 422, "WRONG_TYPE", "rules"),
    ({"rules": [24]}, 422, "WRONG_TYPE", "rules.0"),
    ({"rules": [{"lead_hours": "24"}]}, 422, "WRONG_TYPE", "rules.0.lead_hours"),
    ({"rules": [{"lead_hours": 1.5}]}, 422, "WRONG_TYPE", "rules.0.lead_hours"),
    ({"rules": [{"hours": 24}]}, 422, "UNKNOWN_FIELD", "rules.0.hours"),
    ({"rules": [RULE], "rule": 1}, 422, "UNKNOWN_FIELD", "rule"),
    ({"rules": [{}]}, 422, "LEAD_REQUIRED", "rules.0"),
    ({"rules": [{"lead_hours": 24, "lead_days": 1}]}, 422, "LEAD_REQUIRED", "rules.0"),
    ({"rules": [RULE, {"lead_hours": 0}]}, 422, "NUMBER_OUT_OF_RANGE", "rules.1.lead_hours"),
    ({"rules": [{"lead_hours": 24 * 90 + 1}]}, 422, "NUMBER_OUT_OF_RANGE", "rules.0.lead_hours"),
    ({"rules": [{"lead_days": 91}]}, 422, "NUMBER_OUT_OF_RANGE", "rules.0.lead_days"),
    ({"rules": [RULE, RULE]}, 422, "DUPLICATE_RULE", "rules.1"),
    ({"rules": [RULE, {"lead_days": 1}]}, 422, "DUPLICATE_RULE", "rules.1"),
    ({"rules": [{"lead_hours": n} for n in range(1, 12)]}, 422, "TOO_MANY_RULES", "rules"),
    ({"rules": [RULE], "service_type": ""}, 422, "EMPTY_TEXT", "service_type"),
    ({"rules": [RULE], "service_type": "a\nb"}, 422, "CONTROL_CHARACTER", "service_type"),
    ({"rules": [RULE], "service_type": "x" * 201}, 422, "FIELD_TOO_LONG", "service_type"),
]


async def test_a_bad_policy_is_refused_with_its_code_and_keeps_nothing(door: Door) -> None:
    before = await kept(door)
    for body, status, code, place in BAD:
        for method, path in (("PUT", PATH), ("POST", f"{PATH}/plan")):
            answer = await door.ask(method, path, body, key=OPERATOR_KEY)
            told = answer.json()
            assert (answer.status_code, told["code"]) == (status, code), body
            assert told.get("errors", [{"place": None}])[0]["place"] == place, body
    assert await kept(door) == before


async def test_who_may_not_is_refused_with_its_code(door: Door) -> None:
    plain = await door.client(Client("plain", ("local",)))
    foreign = await door.client(Client("foreign", ("local",), ("ENT",), may_set_policy=True))
    asked = [
        ("PUT", PATH, WEEK, None, 401, "NO_KEY"),
        ("PUT", PATH, WEEK, plain, 403, "MAY_NOT_SET_POLICY"),
        ("PUT", PATH, WEEK, foreign, 403, "FOREIGN_CLINIC"),
        ("GET", PATH, None, foreign, 403, "FOREIGN_CLINIC"),
        ("POST", f"{PATH}/plan", WEEK, foreign, 403, "FOREIGN_CLINIC"),
        ("PUT", "/v1/clinics/NONE/reminder-policy", WEEK, OPERATOR_KEY, 404, "UNKNOWN_CLINIC"),
        ("GET", "/v1/clinics/NONE/reminder-policy", None, OPERATOR_KEY, 404, "UNKNOWN_CLINIC"),
        ("GET", "/v1/clinics/eye/reminder-policy", None, OPERATOR_KEY, 422, "ILLEGAL_CLINIC_CODE"),
        ("PUT", "/v1/clinics/E%00E/reminder-policy", WEEK, OPERATOR_KEY, 422, "ILLEGAL_CLINIC_CODE"),
        ("PUT", f"{PATH}?service_type=%00", WEEK, OPERATOR_KEY, 422, "CONTROL_CHARACTER"),
        ("GET", f"{PATH}/changes?before={2**40}", None, OPERATOR_KEY, 422, "INVALID_REQUEST"),
        ("GET", f"{PATH}/changes/9", None, OPERATOR_KEY, 404, "UNKNOWN_POLICY_VERSION"),
        ("PUT", f"{PATH}?service_type=A", {**WEEK, "service_type": "B"}, OPERATOR_KEY, 422, "SERVICE_TYPE_CONFLICT"),
        ("POST", f"{PATH}/plan", {**WEEK, "past_months": 25}, plain, 422, "NUMBER_OUT_OF_RANGE"),
    ]
    for method, path, body, key, status, code in asked:
        answer = await door.ask(method, path, body, key=key)
        assert (answer.status_code, answer.json()["code"]) == (status, code), (method, path)
    assert await door.pool.fetchval("SELECT count(*) FROM reminder_policy") == 0
