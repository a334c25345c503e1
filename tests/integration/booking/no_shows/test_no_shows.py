"""A visit still booked 30 minutes after its end is a no-show, once, and an arrival reverses it (R18, D19, D20)."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from booking.__main__ import app
from booking.no_shows.domain import NoShowRule
from booking.no_shows.job import NoShowCheck
from booking.no_shows.store import count_unattended
from chassis.postgres.bounded_count import Count
from chassis.process.clock import StillClock, step
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Performed, Runner, Scope
from chassis.time_slots.timetable import Slot
from tests.support.booking.door import Door, booking, opened
from tests.support.installation import Installation

TEN = datetime(2027, 3, 12, 10, tzinfo=UTC)
"""The visit of `booking()`: 10:00 to 10:30, in winter time; slots are at even hours."""
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def checking(door: Door, now: datetime, **given: Any) -> tuple[Runner, StillClock]:
    clock = StillClock(now)
    job = given.pop("job", None) or NoShowCheck(NoShowRule(), size=given.pop("size", 500))
    return Runner(door.pool, clock, job, SlotMetrics(Metrics("test")), **given), clock


async def visit(door: Door) -> dict[str, Any]:
    """Return the current snapshot of the only visit."""
    (row,) = await door.pool.fetch("SELECT snapshot FROM appointment_history ORDER BY version DESC LIMIT 1")
    found: dict[str, Any] = orjson.loads(row["snapshot"])
    return found


async def statuses(door: Door) -> dict[str, str]:
    rows = await door.pool.fetch(
        "SELECT source_id, status FROM appointment JOIN appointment_alias USING (appointment_id)"
    )
    return {row["source_id"]: row["status"] for row in rows}


async def said(door: Door, event_id: str, status: str, at: datetime | None = None, **given: Any) -> dict[str, Any]:
    body = {"event_id": event_id, "appointment": {"id": "v1", "status": status, **given}}
    return await door.post(body if at is None else {**body, "occurred_at": at.isoformat()})


async def test_a_visit_still_booked_half_an_hour_after_its_end_is_a_no_show_at_the_next_slot(door: Door) -> None:
    await door.post(booking())
    check, clock = checking(door, TEN + HOUR - MINUTE)
    await check.round()
    assert await check.next_wake() == TEN + 2 * HOUR
    assert (await visit(door))["status"] == "booked"

    clock.move(TEN + 2 * HOUR)
    assert not await check.idle()
    await check.round()

    found = await visit(door)
    assert (found["status"], found["version"], found["schedule_gen"]) == ("noshow", 2, 1)
    assert found["caused_by"] == "no-show/EYE/2027-03-12T12:00+00:00"
    assert found["reason"] == "no arrival was reported within 30 min after the end"
    assert await door.pool.fetchval("SELECT count(*) FROM outbox WHERE topic = 'appointments'") == 2
    assert await check.next_wake() is None
    assert await check.idle()


@pytest.mark.parametrize(
    ("given", "noshow"),
    [
        ({"end": "2027-03-12T11:30:00+00:00"}, True),
        ({"end": "2027-03-12T11:31:00+00:00"}, False),
        ({"end": None, "start": "2027-03-12T11:00:00+00:00"}, True),
        ({"end": None, "start": "2027-03-12T11:01:00+00:00"}, False),
    ],
)
async def test_a_visit_is_judged_by_the_instant_of_the_slot_and_lasts_half_an_hour_if_nobody_says(
    door: Door, given: dict[str, Any], noshow: bool
) -> None:
    await door.post(booking(**given))
    check, _ = checking(door, TEN + 3 * HOUR + 59 * MINUTE)  # the slot of 12:00 runs late

    await check.round()

    assert ((await visit(door))["status"] == "noshow") is noshow


async def test_what_is_cancelled_attended_or_told_afterwards_is_never_a_no_show(door: Door) -> None:
    past = {"start": "2020-03-12T10:00:00+00:00", "end": "2020-03-12T10:30:00+00:00"}
    await door.post({**booking("i", "imported", **past), "mode": "backfill"})
    await door.post(booking("p", "past", **past))
    for status in ("arrived", "fulfilled", "cancelled", "noshow", "proposed"):
        await door.post(booking(f"{status}-1", status, status="proposed" if status == "proposed" else "booked"))
        if status != "proposed":
            await door.post({"event_id": f"{status}-2", "appointment": {"id": status, "status": status}})
    await door.post(booking("u", "unattended"))
    before = await door.pool.fetchval("SELECT count(*) FROM appointment_history")

    await checking(door, TEN + 24 * HOUR)[0].round()

    found = await statuses(door)
    assert [name for name, status in found.items() if status == "noshow"] == ["noshow", "unattended"]
    assert found["imported"] == found["past"] == "booked"
    assert await door.pool.fetchval("SELECT count(*) FROM appointment_history") == before + 1


async def test_d19_a_visit_that_was_imported_while_it_was_ahead_is_one_like_others(door: Door) -> None:
    await door.post({**booking("i", "imported"), "mode": "backfill"})

    await checking(door, TEN + 24 * HOUR)[0].round()

    assert await statuses(door) == {"imported": "noshow"}


async def test_an_arrival_within_a_day_reverses_it_and_a_later_one_is_outside_the_state_table(
    base: Installation,
) -> None:
    here = StillClock(TEN - HOUR)
    async with opened(base, here) as door:
        await door.post(booking())
        await door.post(booking("e2", "v2"))
        check, clock = checking(door, TEN + 2 * HOUR)
        await check.round()

        here.move(TEN + 20 * HOUR)
        answer = await said(door, "came", "arrived", at=TEN + 20 * HOUR)
        assert (answer["result"], answer["version"], answer["warnings"]) == ("applied", 3, [])
        clock.move(TEN + 30 * HOUR)
        await check.round()
        assert (await visit(door))["status"] == "arrived"

        here.move(TEN + 60 * HOUR)
        late = {"event_id": "late", "occurred_at": (TEN + 60 * HOUR).isoformat()}
        answer = await door.post({**late, "appointment": {"id": "v2", "status": "arrived"}})
        assert [warned["code"] for warned in answer["warnings"]] == ["ILLEGAL_TRANSITION"]
        answer = await door.post(
            {**late, "event_id": "why", "reason": "typed in late", "appointment": {"id": "v2", "status": "fulfilled"}}
        )
        assert answer["warnings"] == []


async def test_upstream_saying_no_show_too_changes_nothing_and_its_own_comes_first(door: Door) -> None:
    await door.post(booking())
    check, clock = checking(door, TEN + 2 * HOUR)
    await check.round()
    assert (await said(door, "too", "noshow"))["result"] == "repeat"

    await door.post(booking("e2", "v2"))
    await door.post({"event_id": "first", "appointment": {"id": "v2", "status": "noshow"}})
    clock.move(TEN + 4 * HOUR)
    await check.round()
    assert await door.pool.fetchval("SELECT max(version) FROM appointment") == 2


@pytest.mark.parametrize("order", [{}, {"sequence": 1}, {"occurred_at": "2027-03-01T10:00:00+00:00"}])
async def test_upstream_repeating_what_it_said_before_does_not_reverse_it(door: Door, order: dict[str, Any]) -> None:
    await door.post({**booking(), **order})
    await checking(door, TEN + 2 * HOUR)[0].round()

    answer = await door.post({**booking("again"), **order})

    assert answer["result"] == "repeat"
    assert (await visit(door))["status"] == "noshow"


async def test_a_new_time_after_a_no_show_is_a_new_visit_to_come(door: Door) -> None:
    await door.post(booking())
    check, _ = checking(door, TEN + 2 * HOUR)
    await check.round()

    moved = await said(door, "moved", "booked", start="2027-03-15T10:00:00+00:00")

    assert (moved["result"], (await visit(door))["schedule_gen"]) == ("applied", 2)
    assert await check.next_wake() == TEN + timedelta(days=3, hours=2)


async def test_two_instances_give_each_visit_one_version(door: Door) -> None:
    await door.post([booking(f"e{number}", f"v{number}") for number in range(60)])
    instances = [checking(door, TEN + 2 * HOUR, size=7)[0] for _ in range(3)]

    await asyncio.gather(*(one.round() for one in instances))

    assert set((await statuses(door)).values()) == {"noshow"}
    assert await door.pool.fetchval("SELECT array_agg(DISTINCT version) FROM appointment") == [2]
    assert await door.pool.fetchval("SELECT effects FROM slot_ledger WHERE effects > 0") == 60


class Killed(NoShowCheck):
    """Ends like a process that is killed in its second transaction."""

    steps = 0

    async def perform(self, connection: Any, scope: Scope, slot: Slot, now: datetime) -> Performed:
        self.steps += 1
        performed = await super().perform(connection, scope, slot, now)
        if self.steps == 2:
            raise ConnectionResetError
        return performed


async def test_a_slot_killed_half_way_is_ended_by_another_instance_when_its_lease_has_run_out(door: Door) -> None:
    await door.post([booking(f"e{number}", f"v{number}") for number in range(20)])
    with pytest.raises(Exception, match="ConnectionResetError"):
        await checking(door, TEN + 2 * HOUR, job=Killed(NoShowRule(), size=7))[0].round()
    assert sorted((await statuses(door)).values()).count("noshow") == 7
    other, _ = checking(door, TEN + 2 * HOUR)

    assert await other.round() == 0
    await door.pool.execute("UPDATE slot_ledger SET lease_until = clock_timestamp() - interval '1 s'")
    assert await other.round() == 1

    assert await door.pool.fetchval("SELECT array_agg(DISTINCT (status, version)::text) FROM appointment") == [
        "(noshow,2)"
    ]
    assert await door.pool.fetchval("SELECT count(*) FROM appointment_history") == 40


async def test_an_arrival_that_commits_while_the_slot_waits_for_its_row_wins(door: Door) -> None:
    await door.post(booking())
    check, _ = checking(door, TEN + 2 * HOUR)
    async with door.pool.acquire() as arriving, arriving.transaction():
        await arriving.execute("UPDATE appointment SET status = 'arrived', version = 2")
        slot = asyncio.create_task(check.round())
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        async with asyncio.timeout(30):
            while not await door.pool.fetchval(waiting):  # noqa: ASYNC110 - PostgreSQL gives no event
                await asyncio.sleep(0.01)
    await slot

    assert await statuses(door) == {"v1": "arrived"}


async def test_slots_missed_by_days_run_and_a_clock_put_back_runs_none_again(door: Door) -> None:
    await door.post(booking())
    check, clock = checking(door, TEN + timedelta(days=3, minutes=1))

    assert await check.round() == 1
    assert (await visit(door))["status"] == "noshow"
    ran = await door.pool.fetchval("SELECT count(*) FROM slot_ledger")
    for minutes in (-5, 0, 5):
        clock.move(TEN + timedelta(days=3, minutes=minutes))
        await check.round()

    assert await door.pool.fetchval("SELECT count(*) FROM slot_ledger") == ran


def test_the_dry_run_counts_by_clinic_and_changes_nothing(
    base: Installation, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def booked() -> None:
        from tests.support.booking.door import opened

        async with opened(base) as door:
            await door.post([booking(f"e{number}", f"v{number}") for number in range(3)])

    asyncio.run(booked())
    step(tmp_path / "clock.json", TEN + 2 * HOUR)
    for name, value in {**base.env, "ATTEND_CLOCK_FILE": str(tmp_path / "clock.json")}.items():
        monkeypatch.setenv(name, value)

    for _ in range(2):
        shown = CliRunner().invoke(app, ["no-show", "--dry-run"])
        assert shown.exit_code == 0, shown.output
        assert "3 visits at 1 clinics; nothing was changed" in shown.output
        assert "EYE" in shown.output


async def test_the_dry_run_counts_no_further_than_its_bound_and_not_for_long(door: Door) -> None:
    await door.post([booking(f"e{number}", f"v{number}") for number in range(5)])
    later = TEN + 2 * HOUR

    counted = [(await count_unattended(door.pool, NoShowRule(), later, most))[1] for most in (4, 5)]
    async with door.pool.acquire() as busy, busy.transaction():
        await busy.execute("LOCK TABLE appointment")
        nothing, late = await count_unattended(door.pool, NoShowRule(), later, longest_s=0.2)

    assert counted == [Count(4, more=True), Count(5)]
    assert (nothing, late) == ({}, Count(None))
