"""One run under faults: bookings flow, some are moved or cancelled, and then all reminders leave."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stack.demo.attendance import statuses_at
from stack.demo.calendar import local
from stack.demo.client import Client
from stack.demo.drive import Driver
from stack.demo.expectation import MORNING, expect_of
from stack.demo.found import attempt_of
from stack.demo.installation import Installation
from stack.supervisor import System
from tests.chaos.evidence import Evidence, read_counts, read_ledger, read_positions, read_topics
from tests.chaos.invariants import check
from tests.chaos.load import PATIENCE_S, ZONE, Fault, Load, Upstream, as_posted
from tests.chaos.other_ways import OtherWays
from tests.chaos.outcome import Outcome, judge

PER_SECOND = 60.0
LEADS = (timedelta(hours=24), timedelta(hours=2))


@dataclass(frozen=True)
class Report:
    """What a run came to, for the assertion and for the reader."""

    bookings: int
    faults: int
    resent: int
    outcome: Outcome
    violations: list[str]
    seconds: dict[str, int]

    def __str__(self) -> str:
        """Return the counts in two lines."""
        totals = {row.what: row.actual for row in self.outcome.rows}
        return (
            f"{self.bookings} bookings, {self.faults} faults, {self.resent} posts sent again, "
            f"{self.outcome.unknown} sends listed unknown ({self.outcome.reached} of them arrived), "
            f"{len(self.violations)} violations; seconds: {self.seconds}\n{totals}"
        )


async def play(
    system: System,
    clock_file: Path,
    load: Load,
    *,
    while_booking: Sequence[Fault],
    while_changing: Sequence[Fault],
    while_leaving: Sequence[Fault],
) -> Report:
    """Play the load with the faults falling into it, and judge what is left when all is quiet."""
    watch = Stopwatch()
    running = Installation(system.urls, system.operations_urls, system.key, system.operator_key, clock_file)
    async with Client(running) as client:
        upstream, driver = Upstream(client), Driver(client, running, PATIENCE_S)
        other = OtherWays(client, system.bootstrap, load.starts)
        driver.step(load.bookings[0].at)
        await upstream.register(load)
        await other.enter_clinic()
        watch.lap("registering")
        await asyncio.gather(upstream.flow(load.bookings, PER_SECOND, while_booking), other.book())
        watch.lap("booking")
        await driver.settle()
        watch.lap("recovering")
        driver.step(load.changes[0].at)
        await asyncio.gather(upstream.flow(load.changes, PER_SECOND, while_changing), other.change())
        await driver.settle()
        watch.lap("changing")
        await _leave(driver, load, list(while_leaving))
        watch.lap("leaving")
        now = driver.now or load.bookings[0].at
        want = expect_of(as_posted(load), load.patients, frozenset(load.providers), until=now)
        want.visits = statuses_at(as_posted(load), now)
        outcome = await judge(client, upstream.names, load, want)
        evidence = await _gather(system, client, upstream, outcome, now)
        violations = [*check(evidence), *await other.violations()]
    watch.lap("judging")
    faults = len([*while_booking, *while_changing, *while_leaving])
    return Report(len(load.bookings), faults, upstream.resent, outcome, violations, watch.laps)


class Stopwatch:
    """Whole seconds by phase."""

    def __init__(self) -> None:
        self.laps: dict[str, int] = {}
        self._since = time.monotonic()

    def lap(self, phase: str) -> None:
        """End a phase."""
        now = time.monotonic()
        self.laps[phase] = round(now - self._since)
        self._since = now


async def _gather(system: System, client: Client, upstream: Upstream, outcome: Outcome, now: datetime) -> Evidence:
    accepted = []
    for message in await client.accepted():
        attempt = attempt_of(message["reference"])
        told = outcome.attempts.get(attempt, [f"no attempt {attempt}"])
        accepted += [{**message, "notification_id": one} for one in told]
    topics = await read_topics(system.bootstrap)
    evidence = Evidence(
        answered=upstream.answered,
        topics=topics,
        positions=await read_positions(system.admin_url, topics),
        counts=await read_counts(system.admin_url, topics),
        now=now,
        accepted=accepted,
    )
    await read_ledger(system.admin_url, evidence)
    return evidence


async def _leave(driver: Driver, load: Load, faults: list[Fault]) -> None:
    """Step to each instant at which reminders are due and to the clinics' mornings, let one fault fall, and settle."""
    mornings = {local(start.date(), MORNING, ZONE) for start in load.starts}
    instants: list[datetime] = sorted({start - lead for start in load.starts for lead in LEADS} | mornings)
    for instant in instants:
        driver.step(instant)
        if faults:
            await faults.pop(0)()
        await driver.settle()
