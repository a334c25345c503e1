"""Many visits at once at a clinic's desk: chosen once, carried out by the one command path, each for itself."""

from typing import Any

import pytest

from booking.desk.domain import Act, Order, Wish
from booking.desk.store import PostgresOrders
from booking.door.domain import Client
from booking.door.strict_json import canonical_hash
from tests.integration.booking.appointments.test_two_writers import SOON
from tests.support.booking.desk import ILL, booked, desk, statuses
from tests.support.booking.door import Door, booking


async def test_a_day_is_cancelled_by_one_call_and_each_visit_is_an_ordinary_version(door: Door) -> None:
    ids = await booked(door)

    told = await desk(door, "cancel", ILL)

    assert [one["appointment_id"] for one in told["results"]] == ids
    assert {(one["status"], one["result"], one["version"]) for one in told["results"]} == {(200, "applied", 2)}
    assert {tuple(one["told"]) for one in told["results"]} == {("patient", "provider")}
    assert [one["starts_local"] for one in told["results"]][:2] == ["2027-03-12T10:00:00", "2027-03-12T10:30:00"]
    assert told["totals"] == {
        "applied": 4, "repeat": 0, "refused": 0, "reminders_cancelled": 8, "patients_told": 2, "providers_told": 1,
    }  # fmt: skip
    assert (told["visits"], told["next_after"], told["by"], told["reason"]) == (4, None, "Ms Desk", "Dr Who is ill")
    one = (await door.ask("GET", f"/v1/appointments/{ids[0]}")).json()["current"]
    assert (one["status"], one["reason"], one["caused_by"]) == (
        "cancelled", "Dr Who is ill", f"desk-change/local/day-1#{ids[0]}",
    )  # fmt: skip
    fate = (await door.ask("GET", f"/v1/inbound/day-1%23{ids[0]}")).json()
    assert (fate["result"], fate["version"]) == ("applied", 2)


async def test_the_same_order_again_changes_nothing_and_chooses_nothing_more(door: Door) -> None:
    await booked(door)
    await desk(door, "cancel", ILL)
    await door.post(booking("late", "late", start="2027-03-12T15:00:00Z", end=None))
    before = await door.counts()

    again = await desk(door, "cancel", ILL)

    assert {(one["result"], one["original_result"]) for one in again["results"]} == {("repeat", "applied")}
    assert (again["visits"], again["totals"]["patients_told"]) == (4, 0)
    assert await door.counts() == before
    assert (await statuses(door))["late"] == "booked"
    conflict = await desk(door, "cancel", {**ILL, "reason": "another"}, status=409)
    assert conflict["code"] == "EVENT_ID_CONFLICT"


@pytest.mark.parametrize(
    ("act", "where"), [("cancel", {}), ("move", {"to_day": "2027-03-15"}), ("move", {"by_minutes": 45})]
)
async def test_a_dry_run_says_what_then_happens_and_leaves_nothing(door: Door, act: str, where: Any) -> None:
    await booked(door)
    await door.post(booking("arrived", "v1", status="arrived", start=None, end=None))
    before = await door.counts()

    tried = await desk(door, act, {**ILL, **where, "dry_run": True})
    assert await door.counts() == before
    assert (await statuses(door))["v0"] == "booked"
    happened = await desk(door, act, {**ILL, **where})

    assert tried["results"] == happened["results"]
    assert tried["totals"] == happened["totals"]
    assert (tried["dry_run"], happened["dry_run"]) == (True, False)
    assert happened["totals"]["applied"] == 3


async def test_a_move_to_another_day_keeps_the_clock_at_the_clinic_and_the_length(door: Door) -> None:
    (first,) = await booked(door, 1, end="2027-03-12T10:20:00Z")

    told = await desk(door, "move", {**ILL, "to_day": "2027-03-29"})

    (one,) = told["results"]
    assert (one["starts_local"], one["new_starts_local"]) == ("2027-03-12T10:00:00", "2027-03-29T10:00:00")
    assert one["new_starts_at"] == "2027-03-29T09:00:00Z"
    assert one["reminders_cancelled"] == 2
    held = (await door.ask("GET", f"/v1/appointments/{first}")).json()["current"]
    assert (held["starts_at"], held["ends_at"], held["schedule_gen"]) == (
        "2027-03-29T09:00:00Z",
        "2027-03-29T09:20:00Z",
        2,
    )


async def test_a_time_that_does_not_exist_that_day_is_refused_for_its_visit_alone(door: Door) -> None:
    await door.post(
        [
            booking("a", "night", start="2027-03-12T01:30:00Z", end=None),
            booking("b", "day", start="2027-03-12T09:00:00Z", end=None),
        ]
    )

    told = await desk(door, "move", {**ILL, "to_day": "2027-03-28"})

    assert [(one["source_id"], one["status"], one["code"]) for one in told["results"]] == [
        ("night", 422, "START_IN_SPRING_GAP"), ("day", 200, None),
    ]  # fmt: skip


async def test_what_does_not_fit_is_answered_with_why_and_the_rest_is_done(door: Door) -> None:
    ids = await booked(door, 5)
    await door.post(
        [
            booking("x0", "v0", status="cancelled", start=None, end=None),
            booking("x1", "v1", status="arrived", start=None, end=None),
        ]
    )
    await door.put("/v1/clinics/ENT", {"name": "Throat Clinic", "zone": "Europe/London"})
    other = await door.client(Client("other", ("other",)))
    theirs = (await door.ask("POST", "/v1/events", booking("o", "o"), key=other)).json()["appointment_id"]
    nobody = "0189abcd-0000-7000-8000-000000000001"

    told = await desk(door, "cancel", {"event_id": "some", "ids": [*ids[:3], theirs, nobody, ids[2]]})

    assert [(one["status"], one["code"]) for one in told["results"]] == [
        (409, "ALREADY_CANCELLED"), (409, "ALREADY_BEGUN"), (200, None),
        (404, "UNKNOWN_APPOINTMENT"), (404, "UNKNOWN_APPOINTMENT"),
    ]  # fmt: skip
    assert told["results"][3]["source_id"] is told["results"][3]["starts_at"] is None
    assert (await statuses(door))["o"] == "booked"


async def test_a_day_chooses_by_provider_and_status_and_leaves_cancelled_ones_out(door: Door) -> None:
    await booked(door, 4)
    await door.post(
        [
            booking("x0", "v0", status="cancelled", start=None, end=None),
            booking("x1", "v1", start="2027-03-12T10:30:00Z", end=None, provider={"id": "dr-two"}),
            booking("x2", "v2", status="arrived", start=None, end=None),
        ]
    )
    tried = {**ILL, "dry_run": True}

    async def chosen(**more: Any) -> list[str]:
        return [one["source_id"] for one in (await desk(door, "cancel", {**tried, **more}))["results"]]

    assert await chosen() == ["v1", "v2", "v3"]
    assert await chosen(provider="dr-two") == ["v1"]
    assert await chosen(status=["booked"]) == ["v1", "v3"]
    assert await chosen(status=["cancelled"], day="2027-03-12") == ["v0"]
    assert await chosen(day="2027-03-13") == []


async def test_pages_of_an_order_are_fixed_at_its_first_request_and_may_be_asked_for_again(door: Door) -> None:
    await booked(door, 5)

    first = await desk(door, "move", {**ILL, "by_minutes": 30}, query="?limit=2")
    assert (first["visits"], first["next_after"], first["totals"]["applied"]) == (5, 2, 2)
    await door.post(booking("late", "late", start="2027-03-12T10:15:00Z", end=None))
    done = [one["source_id"] for one in first["results"]]
    after = first["next_after"]
    while after is not None:
        page = await desk(door, "move", {**ILL, "by_minutes": 30}, query=f"?limit=2&after={after}")
        assert (await desk(door, "move", {**ILL, "by_minutes": 30}, query=f"?limit=2&after={after}"))["totals"][
            "applied"
        ] == 0
        done += [one["source_id"] for one in page["results"]]
        after = page["next_after"]

    assert done == [f"v{n}" for n in range(5)]
    versions = await door.pool.fetch("SELECT version, count(*) AS n FROM appointment GROUP BY version ORDER BY version")
    assert [(row["version"], row["n"]) for row in versions] == [(1, 1), (2, 5)]


async def test_an_order_that_was_written_down_and_not_carried_out_is_carried_out_by_the_next_request(
    door: Door,
) -> None:
    """As after a crash between its two transactions."""
    await booked(door, 2)
    wish = Wish(Client("local", ("local",)), "day-1", canonical_hash(ILL), Act.CANCEL, "Dr Who is ill", "Ms Desk")
    rows = await door.pool.fetch("SELECT appointment_id, starts_at FROM appointment")
    async with door.pool.transaction() as connection:
        await PostgresOrders(connection).keep(wish, Order({r["appointment_id"]: r["starts_at"] for r in rows}, SOON))

    told = await desk(door, "cancel", ILL)

    assert {one["result"] for one in told["results"]} == {"applied"}


async def test_a_visit_that_moved_since_it_was_chosen_is_left_where_it_is(door: Door) -> None:
    await booked(door, 3)
    await desk(door, "cancel", ILL, query="?limit=1")
    await door.post(booking("moved", "v1", start="2027-03-20T09:00:00Z", end=None, patient={"id": "p-0"}))

    told = await desk(door, "cancel", ILL, query="?after=1")

    assert [(one["source_id"], one["code"] or one["result"]) for one in told["results"]] == [
        ("v1", "CHANGED_MEANWHILE"), ("v2", "applied"),
    ]  # fmt: skip


def kept(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the warnings that say that the desk's change stands; nobody here is registered, which is said too."""
    return [(one["code"], one["place"]) for one in answer["warnings"] if one["code"] == "KEPT_DESK_CHANGE"]


async def test_the_next_event_of_upstream_undoes_nothing_also_through_rows(door: Door) -> None:
    await booked(door, 2)
    await desk(door, "cancel", {**ILL, "status": ["booked"]}, query="?limit=1")
    await desk(door, "move", {**ILL, "event_id": "m", "to_day": "2027-03-15"})

    first = await door.post(
        booking("n0", "v0", start="2027-03-12T10:00:00Z", end=None, patient={"id": "p-0"}, provider={"id": "dr-2"})
    )
    second = await door.post(
        booking("n1", "v1", start="2027-03-12T10:30:00Z", end=None, patient={"id": "p-0"}, provider={"id": "dr-2"})
    )

    assert kept(first) == [("KEPT_DESK_CHANGE", "appointment.status")]
    assert kept(second) == [("KEPT_DESK_CHANGE", "appointment.start")]
    rows = await door.pool.fetch(
        "SELECT status, starts_at::text AS at, said_status, said_starts_at::text AS said, version, said_start_version "
        "FROM appointment ORDER BY starts_at"
    )
    assert [tuple(row) for row in rows] == [
        ("cancelled", "2027-03-12 10:00:00+00", "booked", None, 3, 3),
        ("booked", "2027-03-15 10:30:00+00", None, "2027-03-12 10:30:00+00", 3, 3),
    ]
    await door.pool.execute("UPDATE appointment SET version = 4, said_version = 4 WHERE status = 'booked'")
    after = await door.post(booking("n2", "v1", start="2027-03-12T10:30:00Z", end=None, patient={"id": "p-0"}))
    assert kept(after) == [], "a release that knows no start of upstream's own wrote since"
