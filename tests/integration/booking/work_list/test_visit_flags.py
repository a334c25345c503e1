"""What staff should look at of visits: who sees it, who says that it is done, and that it waits once."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from booking.door.domain import Client
from booking.values.refusals import NOT_CLEARED
from booking.work_list.domain import CLEARANCE_MISSING, Flag
from booking.work_list.store import raise_flags
from tests.support.booking.door import OPERATOR_KEY, Door, booking

NOW = datetime(2027, 3, 1, tzinfo=UTC)
CLINICS = {"ENT": {"name": "Throat Clinic", "zone": "Europe/London", "country": "GB"}}


async def flagged(door: Door, number: int = 1, **given: Any) -> str:
    """Book a visit that is fulfilled and then booked again, a step that the state table lacks; return its id."""
    told = await door.post(booking(f"e{number}", f"v{number}", **given))
    for key, status in ((f"f{number}", "fulfilled"), (f"b{number}", "booked")):
        await door.post({"event_id": key, "appointment": {"id": f"v{number}", "status": status}})
    found: str = told["appointment_id"]
    return found


async def listed(door: Door, query: str = "", **asked: Any) -> list[dict[str, Any]]:
    answer = await door.ask("GET", f"/v1/visit-flags{query}", **asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_r33_an_illegal_step_is_on_the_list_with_the_visit_as_it_is_now(door: Door) -> None:
    visit = await flagged(door)
    await door.post({"event_id": "x1", "appointment": {"id": "v1", "status": "cancelled"}})

    [flag] = await listed(door)

    assert (flag["code"], flag["appointment_id"], flag["version"], flag["status"]) == (
        "ILLEGAL_TRANSITION", visit, 3, "cancelled",
    )  # fmt: skip
    assert (flag["source"], flag["source_id"], flag["clinic_id"], flag["done_at"]) == ("local", "v1", "EYE", None)
    assert flag["meaning"]


async def test_a_flag_waits_once_and_again_after_it_is_done(door: Door) -> None:
    await flagged(door)
    await door.post({"event_id": "f2", "appointment": {"id": "v1", "status": "fulfilled"}})
    await door.post({"event_id": "b2", "appointment": {"id": "v1", "status": "booked"}})
    [flag] = await listed(door)
    path = f"/v1/visit-flags/{flag['flag_id']}/done"

    first = (await door.ask("POST", path, {"by": "Ms Desk", "note": "it took place"})).json()
    again = (await door.ask("POST", path, {"by": "another"})).json()

    assert (first["done_by"], first["note"], first["repeat"]) == ("Ms Desk", "it took place", False)
    assert again == {**first, "repeat": True}
    assert await listed(door) == []
    assert [one["flag_id"] for one in await listed(door, "?state=done")] == [flag["flag_id"]]
    await door.post({"event_id": "f3", "appointment": {"id": "v1", "status": "fulfilled"}})
    await door.post({"event_id": "b3", "appointment": {"id": "v1", "status": "booked"}})
    [new] = await listed(door)
    assert new["flag_id"] > flag["flag_id"]
    assert len(await listed(door, "?state=all")) == 2


@pytest.mark.parametrize("status", ["cancelled", "noshow", "entered-in-error"])
async def test_nobody_is_asked_for_a_clearance_of_a_visit_that_is_over(door: Door, status: str) -> None:
    told = await door.post(booking())
    visit = UUID(told["appointment_id"])
    async with door.pool.acquire() as connection:
        await raise_flags(connection, [Flag(visit, code, 1) for code in (CLEARANCE_MISSING, NOT_CLEARED)], NOW)

    await door.post({"event_id": "x1", "appointment": {"id": "v1", "status": status}})

    assert [flag["code"] for flag in await listed(door)] == [NOT_CLEARED]
    [over] = await listed(door, "?state=done")
    assert (over["code"], over["done_by"]) == (CLEARANCE_MISSING, "visit-over")


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_what_happened_before_its_booking_is_off_the_list_when_the_booking_comes(
    door: Door, together: bool
) -> None:
    words = [booking("e1", status="pending"), booking("e2", status="arrived"), booking("e3", status="booked")]
    for posted in [words] if together else [[word] for word in words]:
        await door.post(posted)
    assert await listed(door) == []
    [flag] = await listed(door, "?state=all")
    assert (flag["code"], flag["done_by"], flag["status"]) == ("FACT_BEFORE_BOOKING", "booking-came", "arrived")


async def test_a_booking_that_is_older_by_its_sequence_settles_it_too(door: Door) -> None:
    await door.post({**booking("e1", status="arrived"), "sequence": 2})
    assert [flag["code"] for flag in await listed(door)] == ["FACT_BEFORE_BOOKING"]
    assert (await door.post({**booking("e2"), "sequence": 1}))["result"] == "stale"
    assert await listed(door) == []


@pytest.mark.parametrize(
    ("words", "becomes"), [(("arrived",), "arrived"), (("pending", "arrived"), "booked")], ids=["the first", "a later"]
)
async def test_of_a_row_of_the_release_before_only_the_first_version_is_known_not_to_be_booked(
    door: Door, words: tuple[str, ...], becomes: str
) -> None:
    for number, status in enumerate(words):
        await door.post(booking(f"e{number}", status=status))
    await door.pool.execute("UPDATE appointment SET never_booked = NULL, never_booked_version = NULL")
    told = await door.post(booking("late"))
    rows = await door.pool.fetch("SELECT status, never_booked, version = never_booked_version FROM appointment")
    assert [tuple(row) for row in rows] == [(becomes, False, True)]
    assert told["result"] == ("applied" if words[1:] else "repeat")


async def test_g9_a_client_sees_and_settles_the_flags_of_its_visits_alone(door: Door) -> None:
    await door.put("/v1/clinics/ENT", CLINICS["ENT"])
    one, other = await flagged(door), await flagged(door, 2, clinic="ENT")
    ent = await door.client(Client("ent", ("local",), ("ENT",)))
    foreign = await door.client(Client("foreign", ("other",)))

    assert {flag["appointment_id"] for flag in await listed(door, key=OPERATOR_KEY)} == {one, other}
    assert [flag["appointment_id"] for flag in await listed(door, key=ent)] == [other]
    assert await listed(door, key=foreign) == []
    assert [flag["appointment_id"] for flag in await listed(door, "?clinic=EYE")] == [one]
    assert (await door.ask("GET", "/v1/visit-flags?clinic=EYE", key=ent)).json()["code"] == "FOREIGN_CLINIC"
    assert (await door.ask("GET", "/v1/visit-flags?source=local", key=foreign)).json()["code"] == "FOREIGN_SOURCE"
    [flag] = await listed(door, "?clinic=EYE")
    for key in (ent, foreign):
        answer = await door.ask("POST", f"/v1/visit-flags/{flag['flag_id']}/done", {"by": "x"}, key=key)
        assert (answer.status_code, answer.json()["code"]) == (404, "UNKNOWN_FLAG")


async def test_pages_go_from_the_newest_to_the_oldest(door: Door) -> None:
    visits = [await flagged(door, number) for number in range(1, 4)]
    first = (await door.ask("GET", "/v1/visit-flags?limit=2")).json()
    rest = (await door.ask("GET", f"/v1/visit-flags?limit=2&after={first['next_after']}")).json()
    assert [one["appointment_id"] for one in first["items"] + rest["items"]] == visits[::-1]
    assert rest["next_after"] is None
    assert await listed(door, "?code=NOT_CLEARED") == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "MISSING_FIELD"),
        ({"by": "a\nb"}, "CONTROL_CHARACTER"),
        ({"by": "x", "not": 1}, "UNKNOWN_FIELD"),
        ({"by": 1}, "WRONG_TYPE"),
    ],
)
async def test_a_word_that_cannot_be_kept_is_refused_and_the_flag_waits(door: Door, body: Any, code: str) -> None:
    await flagged(door)
    [flag] = await listed(door)
    answer = await door.ask("POST", f"/v1/visit-flags/{flag['flag_id']}/done", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert len(await listed(door)) == 1
