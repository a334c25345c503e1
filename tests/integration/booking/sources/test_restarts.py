"""A source that counts its events anew: said by a person, kept for good, and taken from then on (D41, 0038)."""

from typing import Any

import pytest

from booking.door.domain import Client
from tests.support.booking.door import OPERATOR_KEY, Door, booking

PATH = "/v1/sources/local/restart"
WHY = {"reason": "restored from a backup"}


def counted(event_id: str, sequence: int, minute: int, **appointment: Any) -> dict[str, Any]:
    at = f"2026-01-01T00:{minute:02d}:00Z"
    return {**booking(event_id, **appointment), "sequence": sequence, "occurred_at": at}


async def metrics(door: Door) -> str:
    return (await door.operations.get("/metrics")).text


async def test_a_count_that_went_back_is_said_counted_and_taken_after_a_restart(door: Door) -> None:
    await door.post(counted("e1", 500, 1))
    late = await door.post(counted("e2", 1, 2, status="cancelled"))
    assert (late["result"], [w["code"] for w in late["warnings"]]) == ("stale", ["STALE", "SEQUENCE_WENT_BACK"])
    assert PATH.replace("local", "{source}") in late["warnings"][1]["detail"]

    answer = await door.ask("POST", PATH, WHY, key=OPERATOR_KEY)
    assert answer.status_code == 200
    taken = await door.post(counted("e3", 2, 3, status="cancelled"))
    assert (taken["result"], taken["warnings"]) == ("applied", [])

    [row] = (await door.ask("GET", "/v1/sources/local/restarts")).json()["items"]
    assert (row["restarted_by"], row["reason"]) == ("operator", WHY["reason"])
    assert 'booking_warnings_total{code="SEQUENCE_WENT_BACK",source="local"} 1.0' in await metrics(door)


async def test_a_repeat_says_the_warnings_of_the_first_answer_and_counts_none(door: Door) -> None:
    body = {**booking("e1"), "reason": ""}
    first, again = await door.post(body), await door.post(body)
    assert again["warnings"] == first["warnings"] != []
    assert 'booking_warnings_total{code="DETAIL_DROPPED",source="local"} 1.0' in await metrics(door)


@pytest.mark.parametrize(
    ("client", "path", "status", "code"),
    [
        (Client("plain", ("local",)), PATH, 403, "MAY_NOT_MANAGE_CLINICS"),
        (Client("desk", ("local",), may_manage_clinics=True), "/v1/sources/other/restart", 403, "FOREIGN_SOURCE"),
        (Client("desk", ("local",), may_manage_clinics=True), PATH, 200, None),
    ],
)
async def test_g9_a_restart_is_for_the_operator_or_a_client_of_that_source_with_the_right(
    door: Door, client: Client, path: str, status: int, code: str | None
) -> None:
    answer = await door.ask("POST", path, WHY, key=await door.client(client))
    assert (answer.status_code, answer.json().get("code")) == (status, code)


@pytest.mark.parametrize("body", [{}, {"reason": " "}, {"reason": "a\nb"}, {"reason": "x" * 201}])
async def test_a_restart_without_a_reason_that_can_be_kept_is_refused(door: Door, body: dict[str, Any]) -> None:
    assert (await door.ask("POST", PATH, body, key=OPERATOR_KEY)).status_code == 422


async def test_restarts_are_told_page_by_page_newest_first(door: Door) -> None:
    for number in range(3):
        await door.ask("POST", PATH, {"reason": f"the {number}th"}, key=OPERATOR_KEY)

    first = (await door.ask("GET", "/v1/sources/local/restarts?limit=2")).json()
    rest = (await door.ask("GET", f"/v1/sources/local/restarts?limit=2&before={first['next_before']}")).json()

    assert [row["reason"] for row in first["items"] + rest["items"]] == ["the 2th", "the 1th", "the 0th"]
    assert rest["next_before"] is None
