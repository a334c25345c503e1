"""Bad input: each its own code, and nothing of it left (G1, docs/bad-input.md)."""

from typing import Any

import pytest

from tests.integration.booking.door.bad_input import BAD
from tests.support.booking.door import Door, booking

SECRETS = ("call me", "bob at home", "eve@example.org", "Mars", "NOWHERE", "maybe")


def code_of(answer: Any) -> str:
    body = answer.json()
    if body.get("resourceType") == "OperationOutcome":
        return str(body["issue"][0]["details"]["coding"][0]["code"])
    return str(body["code"])


@pytest.mark.parametrize("group", ["events", "patients", "clinics", "providers", "fhir"])
async def test_every_bad_input_gets_its_own_code_and_leaves_nothing(door: Door, group: str) -> None:
    before = await door.counts()
    wrong: list[Any] = []
    for what, bad in BAD.items():
        if f"/{group}" not in bad.path:
            continue
        answer = await door.ask(bad.method, bad.path, bad.body)
        found = (answer.status_code, code_of(answer))
        if found != (bad.status, bad.code):
            wrong.append((what, found, (bad.status, bad.code)))
        if await door.counts() != before:
            wrong.append((what, "left something", await door.counts()))
        if any(secret in answer.text for secret in SECRETS):
            wrong.append((what, "was repeated", answer.text))
    assert wrong == []


async def test_d41_a_conflict_is_answered_409_and_changes_nothing(door: Door) -> None:
    await door.post({**booking(), "sequence": 1})
    before = await door.counts()
    for body, code in (
        (booking(status="cancelled"), "EVENT_ID_CONFLICT"),
        ({**booking("e2", status="cancelled"), "sequence": 1}, "SEQUENCE_CONFLICT"),
    ):
        answer = await door.ask("POST", "/v1/events", body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert await door.counts() == before


async def test_template_syntax_and_html_in_a_name_are_plain_text(door: Door) -> None:
    await door.put("/v1/patients/bob", {"given_name": "{{ 7*7 }}", "family_name": "<b>Bob</b>"})
    row = await door.pool.fetchrow("SELECT given_name, family_name FROM patient")
    assert row is not None
    assert tuple(row) == ("{{ 7*7 }}", "<b>Bob</b>")


async def test_r33_an_illegal_transition_is_taken_with_a_warning(door: Door) -> None:
    await door.post(booking())
    await door.post(booking("e2", status="fulfilled"))
    answer = await door.post(booking("e3", status="proposed"))
    assert (answer["result"], [w["code"] for w in answer["warnings"]]) == ("applied", ["ILLEGAL_TRANSITION"])
