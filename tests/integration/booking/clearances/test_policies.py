"""What a clinic requires before check-in, and its kinds of clearance, over HTTP."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.integration.booking.clearances.words import MRI, PAY, POLICY, consent, lacks, required, said, visit
from tests.support.booking.door import OPERATOR_KEY, Door

KINDS = "/v1/clinics/EYE/clearance-kinds"


async def standing(door: Door, path: str) -> list[tuple[str, str]]:
    """Return what a visit lacks."""
    return lacks((await door.ask("GET", path)).json()["standing"])


async def test_a_service_type_has_its_own_policy_until_it_gives_it_up(door: Door) -> None:
    check, mri = await visit(door), await visit(door, "v2", service_type="MRI")
    await required(door, PAY)
    told = await required(door, MRI, query="?service_type=MRI")
    assert (told["changed"], told["own"], told["policy"]["version"]) == (True, True, 2)
    assert (await standing(door, check), await standing(door, mri)) == (
        [("financial", "MISSING")], [("consent", "MISSING")],
    )  # fmt: skip
    assert not (await required(door, MRI, query="?service_type=MRI"))["changed"]
    given_up = await door.ask("DELETE", f"{POLICY}?service_type=MRI", key=OPERATOR_KEY)
    assert (given_up.json()["changed"], given_up.json()["policy"]["version"]) == (True, 1)
    assert await standing(door, mri) == [("financial", "MISSING")]
    await door.ask("DELETE", POLICY, key=OPERATOR_KEY)
    assert await standing(door, check) == []
    changes = (await door.ask("GET", f"{POLICY}/changes?limit=3")).json()
    assert [(one["version"], one["unset"]) for one in changes["items"]] == [(4, True), (3, True), (2, False)]
    rest = (await door.ask("GET", f"{POLICY}/changes?before={changes['next_before']}")).json()
    assert [one["version"] for one in rest["items"]] == [1]


async def test_a_dry_run_says_what_would_be_blocked_and_changes_nothing(door: Door, key: str) -> None:
    await required(door, PAY)
    signed = await visit(door)
    await visit(door, "v2")
    await visit(door, "v3", service_type="MRI")
    await visit(door, "past", start="2027-03-10T10:00:00Z", end=None)
    await door.post({"event_id": "x", "appointment": {"id": "v2", "status": "cancelled"}})
    await said(door, signed, consent(form_version=None), key)
    answer = await door.ask("POST", f"{POLICY}/dry-run", {"requires": [{"kind": "consent"}]}, key=OPERATOR_KEY)
    told = answer.json()
    assert (told["looked_at"], told["blocked"], told["blocked_now"]) == (2, 1, 2)
    assert told["lacks"] == [{"kind": "consent", "code": "MISSING", "visits": 1}]
    given_up = (await door.ask("POST", f"{POLICY}/dry-run", {"unset": True})).json()
    assert (given_up["looked_at"], given_up["blocked"]) == (2, 0)
    assert (await door.ask("GET", POLICY)).json()["policy"]["version"] == 1


async def test_a_form_that_was_replaced_is_old_and_one_that_never_was_is_refused(door: Door, key: str) -> None:
    path = await visit(door)
    await required(door, MRI)
    await said(door, path, consent(), key)
    await required(door, {**MRI, "versions": ["3"]})
    assert await standing(door, path) == [("consent", "OLD_FORM")]
    assert (await said(door, path, consent("c-2", form_version="4"), key, 422))["code"] == "UNKNOWN_FORM_VERSION"
    await said(door, path, consent("c-3", form_version="3"), key)
    assert await standing(door, path) == []


async def test_a_clinic_adds_kinds_and_says_those_of_everybody_in_its_own_words(door: Door, key: str) -> None:
    assert [one["kind"] for one in (await door.ask("GET", "/v1/clearance-kinds")).json()["items"]] == [
        "consent", "financial", "identity", "referral",
    ]  # fmt: skip
    test = {"shape": "plain", "title": "Allergy test", "how": "Bring the result."}
    for body, changed in ((test, True), (test, False), ({**test, "link": "https://eye.example.org/a"}, True)):
        told = await door.ask("PUT", f"{KINDS}/allergy-test", body, key=OPERATOR_KEY)
        assert (told.status_code, told.json()["changed"]) == (200, changed)
    own = {"shape": "consent", "title": "Einwilligung", "how": "Bitte unterschreiben."}
    await door.ask("PUT", f"{KINDS}/consent", own, key=OPERATOR_KEY)
    await required(door, {"kind": "consent"}, {"kind": "allergy-test"})
    path = await visit(door)
    stands = (await door.ask("GET", path)).json()["standing"]["lacking"]
    assert [(one["title"], one["link"]) for one in stands] == [
        ("Einwilligung", None), ("Allergy test", "https://eye.example.org/a"),
    ]  # fmt: skip
    await said(door, path, {"event_id": "a", "kind": "allergy-test", "state": "cleared"}, key)
    listed = (await door.ask("GET", "/v1/clearance-kinds?clinic=EYE")).json()["items"]
    assert len(listed) == 5
    other = await door.ask("PUT", f"{KINDS}/consent", {**own, "shape": "plain"}, key=OPERATOR_KEY)
    assert (other.status_code, other.json()["code"]) == (409, "KIND_SHAPE_FIXED")


BAD: list[tuple[str, str, Any, int, str]] = [
    ("PUT", POLICY, {"mode": "enforce", "requires": [{"kind": "blood-test"}]}, 422, "UNKNOWN_KIND"),
    ("PUT", POLICY, {"mode": "enforce", "requires": [MRI, MRI]}, 422, "DUPLICATE_REQUIREMENT"),
    ("PUT", POLICY, {"mode": "enforce", "requires": [{"kind": "identity", "form": "x"}]}, 422, "NOT_OF_THIS_KIND"),
    ("PUT", POLICY, {"mode": "enforce", "requires": [{**MRI, "link": "http://x.org"}]}, 422, "BAD_URL"),
    ("PUT", POLICY, {"mode": "block", "requires": []}, 422, "UNKNOWN_MODE"),
    ("PUT", POLICY, {"mode": "enforce", "requires": [], "days": [1]}, 422, "UNKNOWN_FIELD"),
    ("PUT", POLICY, {"mode": "enforce", "requires": [], "notify_days": [0]}, 422, "NUMBER_OUT_OF_RANGE"),
    ("PUT", f"{POLICY}?service_type=A", {"mode": "enforce", "requires": [], "service_type": "B"}, 422,
     "SERVICE_TYPE_CONFLICT"),
    ("PUT", POLICY.replace("EYE", "ENT"), {"mode": "enforce", "requires": []}, 404, "UNKNOWN_CLINIC"),
    ("POST", f"{POLICY}/dry-run", {}, 422, "MISSING_FIELD"),
    ("PUT", f"{KINDS}/Blood", {"shape": "plain", "title": "Blood"}, 422, "BAD_SLUG"),
    ("PUT", f"{KINDS}/blood", {"shape": "round", "title": "Blood"}, 422, "UNKNOWN_SHAPE"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), BAD)
async def test_what_no_clinic_can_require_is_refused(
    door: Door, method: str, path: str, body: Any, status: int, code: str
) -> None:
    answer = await door.ask(method, path, body, key=OPERATOR_KEY)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_who_may_say_what_a_clinic_requires(door: Door) -> None:
    body: dict[str, Any] = {"mode": "observe", "requires": []}
    may = await door.client(Client("may", ("local",), ("EYE",), may_set_policy=True))
    elsewhere = await door.client(Client("ent", ("local",), ("ENT",), may_set_policy=True))
    assert (await door.ask("PUT", POLICY, body)).json()["code"] == "MAY_NOT_SET_POLICY"
    assert (await door.ask("PUT", POLICY, body, key=elsewhere)).json()["code"] == "FOREIGN_CLINIC"
    assert (await door.ask("GET", POLICY, key=elsewhere)).json()["code"] == "FOREIGN_CLINIC"
    assert (await door.ask("PUT", POLICY, body, key=may)).json()["policy"]["set_by"] == "may"
