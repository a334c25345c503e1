"""Words with which tests speak of reminder policies."""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from booking.door.transactions import RefusalCounts, Transactions
from booking.reissues.job import ReissueCounts, Reissuer
from chassis.postgres.database import create_pool
from chassis.process.clock import SteppedClock
from chassis.process.metrics import Metrics
from tests.support.booking.door import OPERATOR_KEY, Door, booking

PATH = "/v1/clinics/EYE/reminder-policy"
WEEK = {"rules": [{"lead_hours": 2}, {"lead_days": 7}, {"lead_hours": 24}]}
TABLES = ("reminder_policy", "reminder_rule", "policy_reissue", "outbox", "appointment_history")


def transactions_on(door: Door) -> Transactions:
    """Return transactions on the door's database and by its clock, whose events stay in the outbox."""
    return Transactions(door.pool, door.clock, lambda: None, RefusalCounts(Metrics("booking")))


def reissuer(door: Door, batch: int = 100, per_s: int = 1_000_000) -> Reissuer:
    """Return a job of its own, as another process would have it."""
    return Reissuer(transactions_on(door), ReissueCounts(Metrics("booking")), per_s, batch)


async def worked_off(door: Door, batch: int = 100) -> None:
    """Run jobs until none is left."""
    job = reissuer(door, batch)
    async with asyncio.timeout(90):
        while not await job.idle():
            await job.step()


async def put(door: Door, body: object, path: str = PATH, key: str = OPERATOR_KEY) -> dict[str, Any]:
    """Set a policy and return the answer."""
    answer = await door.ask("PUT", path, body, key=key)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def tried(door: Door, body: dict[str, Any]) -> dict[str, Any]:
    """Return the dry run of a policy, over visits ahead alone unless told otherwise."""
    answer = await door.ask("POST", f"{PATH}/plan", {"past_months": 0, **body})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def change(door: Door, version: int) -> dict[str, Any]:
    """Return a change with its reissue."""
    found: dict[str, Any] = (await door.ask("GET", f"{PATH}/changes/{version}")).json()
    return found


async def visits(door: Door, *starts_in_hours: float, **given: Any) -> list[str]:
    """Book visits so many hours from now, the n-th as `v<n>-<hours>`; return their ids."""
    starts = [(door.clock.now() + timedelta(hours=hours)).isoformat() for hours in starts_in_hours]
    events = [
        booking(f"e{n}-{hours}", f"v{n}-{hours}", start=start, end=None, **given)
        for n, (hours, start) in enumerate(zip(starts_in_hours, starts, strict=True))
    ]
    return [result["appointment_id"] for result in (await door.post(events))["results"]]


async def current(door: Door, appointment_id: str) -> dict[str, Any]:
    """Return an appointment as it is."""
    found: dict[str, Any] = (await door.ask("GET", f"/v1/appointments/{appointment_id}")).json()["current"]
    return found


def slugs(snapshot: dict[str, Any]) -> list[str]:
    """Return the slugs of the rules in a snapshot."""
    return [rule["slug"] for rule in snapshot["policy"]["rules"]]


async def kept(door: Door) -> dict[str, int]:
    """Return how many rows the tables of policies have."""
    return {name: await door.pool.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES}  # noqa: S608


async def one_by_one(url: str, clock_file: Path) -> None:
    """Run the job on a database for ever, one visit a transaction and 20 a second: slowly enough to be killed."""
    pool = await create_pool(url, "booking", max_size=2)
    transactions = Transactions(pool, SteppedClock(clock_file), lambda: None, RefusalCounts(Metrics("booking")))
    await Reissuer(transactions, ReissueCounts(Metrics("booking")), per_s=20, batch=1).run(asyncio.Event())


if __name__ == "__main__":
    asyncio.run(one_by_one(sys.argv[1], Path(sys.argv[2])))
