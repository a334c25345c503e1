"""Each clinic's day begins once, at 8:00 of its own wall, and never after 10:00 (R19, D20)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import orjson
import pytest

from chassis.postgres.database import Pool
from chassis.process.clock import StillClock
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Performed, Runner, Scope
from chassis.time_slots.statements import TABLE
from chassis.time_slots.timetable import Slot
from reminders.clinic_days.domain import ClinicVersion
from reminders.clinic_days.job import ClinicDays
from reminders.clinic_days.store import keep_clinics
from schemas.appointments import ReminderPolicy, SendWindow
from schemas.people import Clinic
from schemas.reminders import ClinicDayDue
from schemas.wire import decode, derived_id
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.installation import Installation

EVE = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""The day before the clocks go forward in London and in Berlin."""
MINUTE = timedelta(minutes=1)
LEASE_OUT = timedelta(seconds=-1)
"""A lease that has run out when it is given: what another instance sees after a kill."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.fixture
async def pool(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Pool]:
    async with databases.fresh(postgres, migrated_template) as admin_url:
        installation = Installation("127.0.0.1:1", admin_url, "")
        pool = await installation.pool("reminders")
        yield pool
        pool.terminate()


async def told(pool: Pool, *clinics: tuple[str, str], version: int = 1, since: datetime = EVE) -> None:
    policy = ReminderPolicy(policy_id="p", rules=(), window=SendWindow(opens=time(7), closes=time(21)))
    events = [
        ClinicVersion(Clinic(clinic_id=key, version=version, name="A clinic", zone=zone, policy=policy), since)
        for key, zone in clinics
    ]
    async with pool.acquire() as connection, connection.transaction():
        await keep_clinics(connection, events)


def runner(pool: Pool, clock: StillClock, **given: Any) -> Runner:
    return Runner(pool, clock, given.pop("job", ClinicDays()), SlotMetrics(Metrics("test")), **given)


async def begun(pool: Pool) -> list[ClinicDayDue]:
    return [decode(ClinicDayDue, row["value"]) for row in await pool.fetch("SELECT value FROM outbox ORDER BY id")]


async def states(pool: Pool) -> list[tuple[str, str, str]]:
    rows = await pool.fetch("SELECT scope, slot, state FROM slot_ledger ORDER BY due, scope")
    return [tuple(row) for row in rows]


async def test_each_clinic_begins_its_day_at_eight_of_its_own_wall(pool: Pool) -> None:
    await told(pool, ("BERLIN", "Europe/Berlin"), ("LONDON", "Europe/London"))
    clock = StillClock(at("2026-03-29T08:00+02:00") - MINUTE)
    days = runner(pool, clock)

    assert await days.round() == 0
    assert await days.next_wake() == at("2026-03-29T08:00+02:00")
    clock.move(at("2026-03-29T08:00+02:00"))
    assert not await days.idle()
    assert await days.round() == 1
    assert await days.idle()
    clock.move(at("2026-03-29T08:00+01:00"))
    assert await days.round() == 1

    berlin, london = await begun(pool)
    assert (berlin.clinic_id, berlin.day, berlin.due) == ("BERLIN", date(2026, 3, 29), at("2026-03-29T06:00+00:00"))
    assert (london.clinic_id, london.not_after) == ("LONDON", at("2026-03-29T10:00+01:00"))
    assert london.caused_by == "clinic-day/LONDON/2026-03-29T08:00"
    assert await days.last_done() == at("2026-03-29T07:00+00:00")
    assert await days.following() == at("2026-03-30T06:00+00:00")


async def test_the_event_is_keyed_by_its_clinic_and_has_the_days_own_id(pool: Pool) -> None:
    await told(pool, ("LONDON", "Europe/London"))

    await runner(pool, StillClock(at("2026-03-29T08:00+01:00"))).round()

    (row,) = await pool.fetch("SELECT topic, key, headers FROM outbox")
    headers = dict(orjson.loads(row["headers"]))
    assert (row["topic"], row["key"], headers["ce_type"]) == ("reminders", b"LONDON", "clinic_day.due.v1")
    assert headers["ce_id"] == str(derived_id("clinic-day", "LONDON", "2026-03-29"))


async def test_a_missed_day_begins_late_until_ten_and_not_a_minute_later(pool: Pool) -> None:
    await told(pool, ("BERLIN", "Europe/Berlin"), ("LONDON", "Europe/London"))
    clock = StillClock(at("2026-03-29T10:00+01:00"))  # 11:00 in Berlin
    days = runner(pool, clock)

    await days.round()

    assert [event.clinic_id for event in await begun(pool)] == ["LONDON"]
    assert await states(pool) == [("BERLIN", "2026-03-29T08:00", "missed"), ("LONDON", "2026-03-29T08:00", "done")]
    assert await days.idle()


async def test_a_clinic_that_was_entered_after_eight_begins_its_first_day_tomorrow(pool: Pool) -> None:
    await told(pool, ("LONDON", "Europe/London"), since=at("2026-03-29T09:00+01:00"))
    clock = StillClock(at("2026-03-29T09:01+01:00"))

    assert await runner(pool, clock).round() == 0
    assert await begun(pool) == []


async def test_two_instances_begin_each_day_once(pool: Pool) -> None:
    clinics = [(f"CLINIC{number:02}", "Europe/London") for number in range(40)]
    await told(pool, *clinics)
    clock = StillClock(at("2026-03-29T08:00+01:00"))
    instances = [runner(pool, clock) for _ in range(4)]

    settled = await asyncio.gather(*(one.round() for one in instances))

    assert sum(settled) == 40
    assert sorted(event.clinic_id for event in await begun(pool)) == [name for name, _ in clinics]


class Killed(ClinicDays):
    """Ends like a process that is killed: its transaction is cut after the effect, its lease stays."""

    async def perform(self, connection: Any, scope: Scope, slot: Slot, now: datetime) -> Performed:
        await super().perform(connection, scope, slot, now)
        raise ConnectionResetError


async def test_a_day_whose_instance_was_killed_half_way_begins_when_its_lease_has_run_out(
    pool: Pool,
) -> None:
    await told(pool, ("LONDON", "Europe/London"))
    clock = StillClock(at("2026-03-29T08:00+01:00"))
    with pytest.raises(Exception, match="ConnectionResetError"):
        await runner(pool, clock, job=Killed()).round()
    other = runner(pool, clock)

    assert await other.round() == 0  # the lease holds
    assert not await other.idle()
    await pool.execute("UPDATE slot_ledger SET lease_until = clock_timestamp() - interval '1 s'")
    assert await other.round() == 1

    assert len(await begun(pool)) == 1
    assert await pool.fetchval("SELECT tries FROM slot_ledger") == 2


async def test_an_instance_that_was_frozen_past_its_lease_has_no_effect_any_more(pool: Pool) -> None:
    await told(pool, ("LONDON", "Europe/London"))
    clock = StillClock(at("2026-03-29T08:00+01:00"))
    frozen, other = runner(pool, clock, lease=LEASE_OUT), runner(pool, clock)
    claimed = await frozen._claim(await frozen._due(clock.now()))

    assert await other.round() == 1
    assert not await frozen._settle(claimed[0])

    assert len(await begun(pool)) == 1


async def test_a_claim_that_wakes_after_ten_has_no_effect(pool: Pool) -> None:
    await told(pool, ("LONDON", "Europe/London"))
    clock = StillClock(at("2026-03-29T09:59+01:00"))
    days = runner(pool, clock, lease=LEASE_OUT)
    claimed = await days._claim(await days._due(clock.now()))
    clock.move(at("2026-03-29T10:01+01:00"))

    assert not await days._settle(claimed[0])
    await days.round()

    assert await begun(pool) == []
    assert await states(pool) == [("LONDON", "2026-03-29T08:00", "missed")]


async def test_a_clock_that_is_put_back_or_forth_begins_no_day_twice(pool: Pool) -> None:
    await told(pool, ("LONDON", "Europe/London"))
    clock = StillClock(EVE)
    days = runner(pool, clock)

    for day, shown in enumerate(["07:56", "08:04", "07:55", "10:03", "09:58"], 29):
        for moment in ("08:01", shown, "08:02", "08:30"):
            clock.move(at(f"2026-03-{day}T{moment}+01:00") if day < 32 else at(f"2026-04-0{day - 31}T{moment}+01:00"))
            await days.round()
            assert await days.idle()

    assert [event.day for event in await begun(pool)] == [date(2026, 3, 29) + timedelta(days=n) for n in range(5)]


async def test_a_week_over_the_change_of_clocks_has_seven_days(pool: Pool) -> None:
    await told(pool, ("LONDON", "Europe/London"))
    clock = StillClock(EVE)
    days = runner(pool, clock)

    for _ in range(7):
        wake = await days.next_wake()
        assert wake is not None
        clock.move(wake)
        assert await days.round() == 1

    assert [event.day for event in await begun(pool)] == [date(2026, 3, 29) + timedelta(days=n) for n in range(7)]


async def test_one_clinics_fault_stops_no_other(pool: Pool) -> None:
    class Faulty(ClinicDays):
        async def perform(self, connection: Any, scope: Scope, slot: Slot, now: datetime) -> Performed:
            if scope.name == "BERLIN":
                raise ZeroDivisionError
            return await super().perform(connection, scope, slot, now)

    await told(pool, ("BERLIN", "Europe/Berlin"), ("LONDON", "Europe/London"))

    assert await runner(pool, StillClock(at("2026-03-29T08:30+01:00")), job=Faulty()).round() == 1
    assert [event.clinic_id for event in await begun(pool)] == ["LONDON"]


async def test_an_older_version_of_a_clinic_changes_nothing_and_its_first_stays_since_when(
    pool: Pool,
) -> None:
    await told(pool, ("LONDON", "Europe/London"), version=2, since=EVE)
    await told(pool, ("LONDON", "Europe/Dublin"), version=1, since=EVE + MINUTE)
    await told(pool, ("LONDON", "Europe/Jersey"), version=3, since=EVE + 2 * MINUTE)

    (row,) = await pool.fetch("SELECT version, zone, since FROM clinic")
    assert tuple(row) == (3, "Europe/Jersey", EVE)


async def test_the_migration_has_the_ledger_that_chassis_knows() -> None:
    from importlib.resources import files

    for package, name in (("reminders", "0003_clinic_days.sql"), ("booking", "0004_no_show.sql")):
        assert TABLE in (files(package) / "migrations" / name).read_text()
