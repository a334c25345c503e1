"""The dry run of a policy change (B4): pages through visits, changes nothing, locks nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.clinics import policy_json
from booking.clinics.domain.clinic import ClinicState
from booking.policies import bodies
from booking.policies.domain.change import change_of, giving_up, imagined
from booking.policies.domain.effect import NOTHING, Effect, effect_of, in_force_since, would_have_left
from booking.policies.domain.rules import Lead
from booking.policies.store import PostgresPolicyStore, Which, count_visits, page_ahead, page_past
from chassis.postgres.database import Pool
from schemas.appointments import Appointment, ReminderPolicy, ReminderRule
from schemas.wire import decode

PAGE = 1_000
"""Visits of one question to the database: 0.1 s of it, and 2 MB."""

_EVER = datetime(1900, 1, 1, tzinfo=UTC)
_LAST = UUID(int=2**128 - 1)


@dataclass(slots=True)
class Report:
    """What is known so far.

    Attributes:
        months: Past months, `YYYY-MM` by the clinic's clock → visits, reminders as it was, with these rules.
    """

    of: int = 0
    looked_at: int = 0
    ahead_looked_at: int = 0
    effect: Effect = NOTHING
    months: dict[str, Counter[str]] = field(default_factory=dict)


async def dry_run(
    pool: Pool, which: Which, policy: ReminderPolicy, now: datetime, past_from: datetime
) -> AsyncIterator[Report]:
    """Yield the report after each page; the last one is whole.

    Args:
        past_from: Where past visits begin; `now` for none.
    """
    report = Report()
    report.of = await count_visits(pool, which, now, past_from)
    yield report
    async for rows in _pages(lambda after: page_ahead(pool, which, after, PAGE), now):
        effect = await asyncio.to_thread(_ahead, rows, policy, now)
        report.effect = report.effect.plus(effect)
        report.looked_at += len(rows)
        report.ahead_looked_at += len(rows)
        yield report
    ever = in_force_since(policy.rules, _EVER)
    async for rows in _pages(lambda after: page_past(pool, which, after, now, PAGE), past_from):
        await asyncio.to_thread(_past, rows, ever, which.zone, report.months)
        report.looked_at += len(rows)
        yield report


async def _pages(
    read: Callable[[tuple[datetime, UUID]], Coroutine[Any, Any, Sequence[Any]]], start: datetime
) -> AsyncIterator[Sequence[Any]]:
    """Yield pages in the order of (start, id); the next one is read while this one is planned."""
    reading = asyncio.create_task(read((start, _LAST)))
    try:
        while rows := await reading:
            more = len(rows) == PAGE
            if more:
                reading = asyncio.create_task(read((rows[-1]["starts_at"], rows[-1]["appointment_id"])))
            yield rows
            if not more:
                return
    finally:
        reading.cancel()  # the reader went away


def _ahead(rows: Sequence[Any], policy: ReminderPolicy, now: datetime) -> Effect:
    effects = (effect_of(decode(Appointment, row["snapshot"].encode()), policy, now) for row in rows)
    return Effect(*map(sum, zip(NOTHING, *effects, strict=True)))


def _past(rows: Sequence[Any], rules: Sequence[ReminderRule], zone: str, months: dict[str, Counter[str]]) -> None:
    there = ZoneInfo(zone)
    for row in rows:
        versions = [decode(Appointment, snapshot.encode()) for snapshot in row["snapshots"]]
        month = months.setdefault(f"{row['starts_at'].astimezone(there):%Y-%m}", Counter())
        month["visits"] += 1
        month["as_it_was"] += would_have_left(versions)
        month["with_these_rules"] += would_have_left(versions, rules)


def months_before(now: datetime, months: int) -> datetime:
    """Return the same instant so many months earlier; the last day of a shorter month."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    for day in range(now.day, 27, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return now.replace(year=year, month=month + 1)


@dataclass(frozen=True)
class Trial:
    """A policy to be tried on a clinic as it is now."""

    clinic: ClinicState
    service_type: str | None
    leads: tuple[Lead, ...]
    past_months: int
    client_id: str
    unset: bool


async def try_policy(pool: Pool, trial: Trial, now: datetime) -> AsyncIterator[dict[str, Any]]:
    """Yield `{"progress": …}` after each page of visits and `{"plan": …}` at the end."""
    began, clinic = time.monotonic(), trial.clinic
    async with pool.acquire() as connection:
        minted, last = await PostgresPolicyStore(connection).minted(clinic.clinic_id)
    if trial.unset:
        change = giving_up(clinic, bodies.required(trial.service_type), minted, last + 1, trial.client_id, now)
    else:
        change = change_of(clinic, trial.service_type, trial.leads, minted, last + 1, trial.client_id, now)
    wanted = imagined(clinic, change, trial.service_type)
    services = () if trial.service_type is not None else clinic.own_services
    which = Which(clinic.clinic_id, trial.service_type, services, clinic.zone)
    report = Report()
    async for report in dry_run(pool, which, wanted, now, months_before(now, trial.past_months)):
        yield {"progress": {"looked_at": report.looked_at, "of": report.of}}
    before = clinic.policy_for(trial.service_type)
    yield {
        "plan": {
            "clinic_id": clinic.clinic_id,
            "service_type": trial.service_type,
            "as_of": now.isoformat(),
            "changes": change is not None,
            "from": bodies.side(before.policy_id, before.rules),
            "to": {"rules": policy_json.rules(wanted.rules)},
            "ahead": {"looked_at": report.ahead_looked_at, **report.effect._asdict()},
            "past": [{"month": month, **counted} for month, counted in sorted(report.months.items())],
            "took_ms": round((time.monotonic() - began) * 1_000),
        }
    }
