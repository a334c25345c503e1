"""The dry run of a policy change (B4): pages through visits, changes nothing, locks nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from booking.policies.domain.effect import NOTHING, Effect, effect_of, in_force_since, would_have_left
from booking.policies.store import Which, count_visits, page_ahead, page_past
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
        of: Visits to look at, ahead and past.
        looked_at: Of these, so many are.
        ahead_looked_at: Visits ahead among them.
        months: Past months, `YYYY-MM` by the clinic's clock → visits, reminders as it was, with these rules.
    """

    of: int = 0
    looked_at: int = 0
    ahead_looked_at: int = 0
    effect: Effect = NOTHING
    months: dict[str, Counter[str]] = field(default_factory=dict)


async def dry_run(
    pool: asyncpg.Pool, which: Which, policy: ReminderPolicy, now: datetime, past_from: datetime
) -> AsyncIterator[Report]:
    """Yield the report after each page; the last one is whole.

    Args:
        pool: Connections to the schema `booking`.
        which: The visits it is for.
        policy: The policy tried.
        now: Domain time: it would come into force now.
        past_from: Where past visits begin; `now` for none.

    Raises:
        Unavailable: PostgreSQL is not there.
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
