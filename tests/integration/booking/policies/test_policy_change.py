"""What a change of a reminder policy does to visits ahead, and its dry run (D14, B4)."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from chassis.process.clock import SteppedClock, step
from tests.integration.booking.policies.policy import (
    PATH,
    WEEK,
    change,
    current,
    kept,
    put,
    reissuer,
    slugs,
    tried,
    visits,
    worked_off,
)
from tests.support.booking.door import Door, opened
from tests.support.examples import ROOT
from tests.support.installation import Installation
from tests.support.waiting import until

MORNING = datetime(2027, 2, 1, 10, 30, tzinfo=UTC)
"""When these tests begin: whether a reminder keeps to the clinic's hours depends on the time of day."""


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """Give the file by which domain time has been stepped."""
    path = tmp_path / "clock.json"
    step(path, MORNING)
    return path


@pytest.fixture
async def door(base: Installation, clock_file: Path) -> AsyncIterator[Door]:
    """Give the API with the client `local` and the clinic EYE, that morning."""
    async with opened(base, SteppedClock(clock_file)) as found:
        yield found


async def test_d14_a_change_reissues_what_it_touches_and_reports_it(door: Door) -> None:
    """24 h and 2 h become 7 days and 2 h; the schedule's generation stays, the rule's beginning counts (D14)."""
    far, soon, next_, gone = await visits(door, 24 * 30, 24 * 3, 12, 24 * 20)
    await door.post({"event_id": "c", "appointment": {"id": f"v3-{24 * 20}", "status": "cancelled"}})
    body = {"rules": [{"lead_days": 7}, {"lead_hours": 2}]}
    await put(door, body)
    await worked_off(door)
    told = (await change(door, 1))["reissue"]
    counts = {
        name: told[name]
        for name in ("state", "ahead", "looked_at", "appointments", "added", "removed", "moved", "kept", "too_late")
    }
    assert counts == {
        "state": "done", "ahead": 3, "looked_at": 3, "appointments": 3,
        "added": 0, "removed": 1, "moved": 1, "kept": 3, "too_late": 2,
    }  # fmt: skip
    for visit in (far, soon, next_):
        snapshot = await current(door, visit)
        assert (snapshot["version"], snapshot["schedule_gen"], slugs(snapshot)) == (2, 1, ["7d", "2h"])
        assert snapshot["caused_by"] == "reminder-policy/EYE/1"
    assert (await current(door, gone))["policy"]["policy_id"] == "EYE/default"


@pytest.mark.parametrize(
    "rules",
    [
        [{"lead_days": 7}, {"lead_hours": 24}, {"lead_hours": 2}],
        [{"lead_hours": 2}],
        [{"lead_hours": 48}, {"lead_hours": 4}],
        [],
    ],
)
async def test_b4_the_dry_run_says_what_then_happens_and_does_nothing_itself(door: Door, rules: list[Any]) -> None:
    await visits(door, *(5 + 17 * n for n in range(30)))
    await visits(door, 100, 200, service_type="MRI")
    await put(door, {"service_type": "MRI", "rules": [{"lead_hours": 24}, {"lead_hours": 2}]})
    await worked_off(door)
    before = await kept(door)
    plan = await tried(door, {"rules": rules})
    assert await kept(door) == before
    await put(door, {"rules": rules})
    await worked_off(door, batch=7)
    told = (await change(door, 2))["reissue"]
    assert plan["ahead"] == {name: told[name] for name in plan["ahead"]}
    assert plan["ahead"]["looked_at"] == 30
    assert (await tried(door, {"rules": rules}))["ahead"]["appointments"] == 0


async def test_a_job_stopped_half_way_goes_on_where_it_was(door: Door) -> None:
    """A process killed leaves what it committed; the next one, with nothing in its memory, does the rest once."""
    ids = await visits(door, *(100 + n for n in range(20)))
    await put(door, WEEK)
    assert await reissuer(door, batch=6).step() == 6
    half = (await change(door, 1))["reissue"]
    assert (half["state"], half["ahead"], half["looked_at"], half["finished_at"]) == ("running", 20, 6, None)
    await worked_off(door, batch=6)
    done = (await change(door, 1))["reissue"]
    assert (done["state"], done["looked_at"], done["appointments"], done["too_late"]) == ("done", 20, 20, 20)
    assert {(await current(door, visit))["version"] for visit in ids} == {2}


async def test_a_process_killed_half_way_leaves_a_job_that_the_next_one_ends(
    door: Door, base: Installation, clock_file: Path
) -> None:
    """kill -9 in the middle: nothing is done twice and nothing is left out."""
    ids = await visits(door, *(100 + n for n in range(60)))
    await put(door, WEEK)
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.booking.policies.policy",
        base.service_url("booking"),
        clock_file,
        cwd=ROOT,
    )
    await until(lambda: half_way(door))
    worker.kill()
    await worker.wait()
    left = (await change(door, 1))["reissue"]
    assert (left["state"], left["looked_at"] < 60) == ("running", True)
    await worked_off(door)
    done = (await change(door, 1))["reissue"]
    assert (done["state"], done["looked_at"], done["appointments"]) == ("done", 60, 60)
    assert {(await current(door, visit))["version"] for visit in ids} == {2}


async def half_way(door: Door) -> bool:
    return bool((await change(door, 1))["reissue"].get("looked_at", 0) >= 3)


async def test_a_second_change_supersedes_one_that_is_half_way(door: Door) -> None:
    ids = await visits(door, *(24 * 30 + n for n in range(10)))
    await put(door, WEEK)
    await reissuer(door, batch=4).step()
    plan = await tried(door, {"rules": [{"lead_hours": 24}]})
    await put(door, {"rules": [{"lead_hours": 24}]})
    await worked_off(door)
    first, second = [(await change(door, version))["reissue"] for version in (1, 2)]
    assert (first["state"], first["added"], second["state"]) == ("superseded", 4, "done")
    assert (second["removed"], second["kept"]) == (4 * 2 + 6, 10)
    assert plan["ahead"]["removed"] == second["removed"]
    assert {tuple(slugs(await current(door, visit))) for visit in ids} == {("24h",)}


async def test_a_job_waits_for_bookings_that_still_stamp_the_old_rules(door: Door) -> None:
    """A booking that read the rules before the change, and commits after it, must not be passed over."""
    await visits(door, 500)
    job = reissuer(door)
    async with door.pool.acquire() as slow:
        under_way = slow.transaction()
        await under_way.start()
        await slow.execute("SELECT pg_current_xact_id()")
        await put(door, WEEK)
        assert await job.step() is None
        assert (await change(door, 1))["reissue"]["state"] == "waiting"
        await under_way.commit()
    await worked_off(door)
    assert (await change(door, 1))["reissue"]["appointments"] == 1


async def test_two_processes_share_the_jobs_and_do_each_visit_once(door: Door) -> None:
    ids = await visits(door, *(200 + n for n in range(40)))
    await put(door, WEEK)
    await asyncio.gather(worked_off(door, batch=5), worked_off(door, batch=5))
    assert {(await current(door, visit))["version"] for visit in ids} == {2}
    assert (await change(door, 1))["reissue"]["appointments"] == 40


async def test_the_reissue_runs_by_itself_and_keeps_its_pace(door: Door) -> None:
    await visits(door, *(200 + n for n in range(6)))
    await put(door, WEEK)
    stop, job = asyncio.Event(), reissuer(door, batch=2, per_s=20)
    running = asyncio.create_task(job.run(stop))
    began = asyncio.get_running_loop().time()
    await until(job.idle)
    assert asyncio.get_running_loop().time() - began >= 2 * 2 / 20  # three batches, a pause after each but the last
    stop.set()
    await running


async def test_b4_the_dry_run_replays_past_months(door: Door) -> None:
    """Booked 30 days ahead, now past: 24 h and 2 h left; with 7 days three would have."""
    (visit, cancelled) = await visits(door, 24 * 30, 24 * 31)
    await door.post({"event_id": "c", "appointment": {"id": f"v1-{24 * 31}", "status": "cancelled"}})
    await aged(door, timedelta(days=45))
    plan = await tried(door, {**WEEK, "past_months": 3})
    assert plan["ahead"]["looked_at"] == 0
    totals = {name: sum(month[name] for month in plan["past"]) for name in ("visits", "as_it_was", "with_these_rules")}
    assert totals == {"visits": 2, "as_it_was": 2, "with_these_rules": 3}
    assert {visit, cancelled}


async def aged(door: Door, by: timedelta) -> None:
    """Move every visit with its history into the past, as if all had happened so much earlier."""
    await door.pool.execute("UPDATE appointment SET starts_at = starts_at - $1::interval", by)
    rows = await door.pool.fetch("SELECT * FROM appointment_history")
    moved = []
    for row in rows:
        snapshot = orjson.loads(row["snapshot"])
        for name in ("starts_at", "schedule_set_at", "event_time", "ingest_time"):
            snapshot[name] = (datetime.fromisoformat(snapshot[name]) - by).isoformat()
        for rule in snapshot["policy"]["rules"]:
            rule["in_force_since"] = (datetime.fromisoformat(rule["in_force_since"]) - by).isoformat()
        moved.append((row["appointment_id"], row["version"] + 1_000, orjson.dumps(snapshot).decode()))
    await door.pool.execute("UPDATE appointment SET version = version + 1000")
    await door.pool.executemany("INSERT INTO appointment_history VALUES ($1, $2, $3)", moved)


async def test_the_plan_streams_its_progress(door: Door) -> None:
    await visits(door, 100, 200, 300)
    answer = await door.ask("POST", f"{PATH}/plan", WEEK, accept="application/x-ndjson")
    lines = [orjson.loads(line) for line in answer.text.splitlines()]
    assert [next(iter(line)) for line in lines] == ["progress", "progress", "plan"]
    assert lines[-2]["progress"] == {"looked_at": 3, "of": 3}
    assert lines[-1]["plan"]["ahead"]["appointments"] == 3
