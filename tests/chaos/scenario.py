"""One run under faults: bookings flow, some are moved or cancelled, and then all reminders leave."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stack.demo.client import Client
from stack.demo.drive import Driver
from stack.demo.expectation import expect_of
from stack.demo.installation import Installation
from stack.supervisor import System
from tests.chaos.evidence import Evidence, attempt_of, read_positions, read_topics
from tests.chaos.invariants import check
from tests.chaos.load import PATIENCE_S, Fault, Load, Upstream, as_posted
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
    took_s: float

    def __str__(self) -> str:
        """Return the counts in two lines."""
        totals = {row.what: row.actual for row in self.outcome.rows}
        return (
            f"{self.bookings} bookings, {self.faults} faults, {self.resent} posts sent again, "
            f"{self.outcome.unknown} sends listed unknown ({self.outcome.reached} of them arrived), "
            f"{len(self.violations)} violations, {self.took_s:.0f} s\n{totals}"
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
    began = time.monotonic()
    running = Installation(urls=system.urls, key=system.key, clock_file=clock_file)
    async with Client(running) as client:
        upstream, driver = Upstream(client), Driver(client, running, PATIENCE_S)
        driver.step(load.bookings[0].at)
        await upstream.register(load)
        await upstream.flow(load.bookings, PER_SECOND, while_booking)
        await driver.settle()
        driver.step(load.changes[0].at)
        await upstream.flow(load.changes, PER_SECOND, while_changing)
        await driver.settle()
        await _leave(driver, load, list(while_leaving))
        want = expect_of(as_posted(load), load.patients, frozenset(load.providers))
        outcome = await judge(client, upstream.names, load, want)
        evidence = Evidence(
            answered=upstream.answered,
            topics=await read_topics(system.bootstrap),
            positions=await read_positions(system.bootstrap, system.admin_url),
            accepted=[
                {
                    **message,
                    "notification_id": outcome.attempts.get(attempt_of(message["reference"]), message["reference"]),
                }
                for message in await client.accepted()
            ],
        )
    faults = len([*while_booking, *while_changing, *while_leaving])
    took_s = time.monotonic() - began
    return Report(len(load.bookings), faults, upstream.resent, outcome, check(evidence), took_s)


async def _leave(driver: Driver, load: Load, faults: list[Fault]) -> None:
    """Step to each instant at which reminders are due, let one fault fall while they leave, and settle."""
    instants: list[datetime] = sorted({start - lead for start in load.starts for lead in LEADS})
    for instant in instants:
        driver.step(instant)
        if faults:
            await faults.pop(0)()
        await driver.settle()
