"""Daily jobs under clocks that are put forth and back, kills and outages, over both changes of summer time (D20)."""

import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pytest

from chassis.postgres.database import Pool
from chassis.process.clock import StillClock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Performed, Runner, Scope
from chassis.time_slots.timetable import Slot
from reminders.clinic_days.job import ClinicDays
from schemas.reminders import ClinicDayDue
from schemas.wire import decode
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.installation import Installation

pytestmark = pytest.mark.chaos

ZONES = ("Europe/London", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kolkata")
SPANS = (("2026-03-05", "2026-04-08"), ("2026-10-01", "2026-11-04"))
"""Each holds a change of clocks in most of the zones."""
ASTRAY = timedelta(minutes=5)
KILLED, OUT = 0.2, 0.01
"""How often a round's process is killed, and how often nobody runs for hours."""


class Mortal(ClinicDays):
    """Is killed at times, before or after its effect: the transaction is cut, the lease stays."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.kills = 0

    async def perform(self, connection: Any, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """See `chassis.time_slots.runner.Job`."""
        performed = await super().perform(connection, scope, slot, now)
        if self.dice.random() < KILLED:
            self.kills += 1
            raise ConnectionResetError
        return performed


@dataclass
class Fate:
    """One run: what befell it, and when somebody looked at a clinic's wall in time."""

    dice: Random
    kills: int = 0
    steps: int = 0
    put_back: int = 0
    outages: int = 0
    seen: set[tuple[str, str]] = field(default_factory=set)

    async def live(self, pool: Pool, first: str, last: str) -> None:
        """Let two instances run on one astray clock from day to day."""
        true = datetime.fromisoformat(first).replace(tzinfo=UTC)
        clock, jobs = StillClock(true), (Mortal(self.dice), Mortal(self.dice))
        metrics = SlotMetrics(Metrics("chaos"))
        instances = [Runner(pool, clock, job, metrics) for job in jobs]
        while true < datetime.fromisoformat(last).replace(tzinfo=UTC):
            shown = true + ASTRAY * self.dice.uniform(-1, 1)
            self.put_back += shown < clock.now()
            clock.move(shown)
            self.steps += 1
            await asyncio.gather(*(_quietly(one) for one in instances))
            await pool.execute("UPDATE slot_ledger SET lease_until = clock_timestamp() - interval '1 s'")
            await _quietly(instances[0])  # after a kill the next comes when the lease has run out
            if all(await asyncio.gather(*(one.idle() for one in instances))):
                self._note(shown)
            true += timedelta(minutes=self.dice.randint(1, 70))
            if self.dice.random() < OUT:
                self.outages += 1
                true += timedelta(hours=self.dice.randint(2, 30))
        self.kills += sum(job.kills for job in jobs)

    def _note(self, shown: datetime) -> None:
        for zone in ZONES:
            wall = shown.astimezone(ZoneInfo(zone))
            if 8 <= wall.hour < 10:
                self.seen.add((zone, str(wall.date())))


async def _quietly(one: Runner) -> None:
    try:
        await one.round()
    except Unavailable:  # how a cut connection looks
        return


async def test_each_clinics_day_begins_once_and_in_time_whatever_befalls_clocks_and_processes(
    postgres: PostgresServer, migrated_template: str, capsys: pytest.CaptureFixture[str]
) -> None:
    fate, begun, missed = Fate(Random(7)), Counter[tuple[str, str]](), 0
    for first, last in SPANS:
        async with databases.fresh(postgres, migrated_template) as admin_url:
            pool = await Installation("127.0.0.1:1", admin_url, "").pool("reminders")
            since = datetime.fromisoformat(first).replace(tzinfo=UTC)
            rows = [(f"CLINIC{n}", zone, since) for n, zone in enumerate(ZONES)]
            await pool.executemany("INSERT INTO clinic VALUES ($1, 1, $2, $3)", rows)

            await fate.live(pool, first, last)

            for row in await pool.fetch("SELECT headers, value FROM outbox"):
                day = decode(ClinicDayDue, row["value"])
                said_at = datetime.fromisoformat(dict(orjson.loads(row["headers"]))["ce_time"])
                wall = day.due.astimezone(ZoneInfo(day.zone))
                assert (wall.hour, wall.minute, str(wall.date())) == (8, 0, str(day.day))
                assert day.due <= said_at <= day.not_after
                begun[day.zone, str(day.day)] += 1
            missed += await pool.fetchval("SELECT count(*) FROM slot_ledger WHERE state = 'missed'")
            pool.terminate()
    with capsys.disabled():
        sys.stdout.write(
            f"\n{len(begun)} days begun, {missed} missed for outages, {fate.steps} rounds of two, "
            f"{fate.kills} killed in them, {fate.put_back} times put back, {fate.outages} outages: "
            f"doubled {sum(n > 1 for n in begun.values())}, seen in time, not begun {len(fate.seen - begun.keys())}\n"
        )
    assert set(begun.values()) == {1}
    assert fate.seen <= begun.keys()
    assert fate.kills > 10
    assert fate.outages > 3
