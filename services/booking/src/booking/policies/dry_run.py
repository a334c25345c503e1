"""The dry run of a policy change (B4): pages through visits, changes nothing, locks nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from booking.policies import statements
from booking.policies.domain.effect import NOTHING, Effect, effect_of, in_force_since, would_have_left
from booking.policies.store import REMINDABLE
from chassis.database import unavailable
from schemas.appointments import Appointment, ReminderPolicy, ReminderRule
from schemas.wire import decode

PAGE = 1_000
"""Visits of one question to the database: 0.1 s of it, and 2 MB."""

_EVER = datetime(1900, 1, 1, tzinfo=UTC)
_LAST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class Which:
    """The visits that a policy is for.

    Attributes:
        services: Service types with policies of their own, when it is the clinic's.
    """

    clinic_id: str
    service_type: str | None
    services: tuple[str, ...]
    zone: str

    @property
    def arguments(self) -> tuple[str, str | None, list[str]]:
        """The first three arguments of each statement."""
        return self.clinic_id, self.service_type, list(self.services)


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
    with unavailable():
        ahead = await pool.fetchval(statements.COUNT_AHEAD, *which.arguments, now, REMINDABLE)
        past = await pool.fetchval(statements.COUNT_PAST, *which.arguments, past_from, now)
    report.of = ahead + past
    yield report
    async for rows in _pages(pool, statements.PAGE_AHEAD, which, now, REMINDABLE):
        effect = await asyncio.to_thread(_ahead, rows, policy, now)
        report.effect = report.effect.plus(effect)
        report.looked_at += len(rows)
        report.ahead_looked_at += len(rows)
        yield report
    ever = in_force_since(policy.rules, _EVER)
    async for rows in _pages(pool, statements.PAGE_PAST, which, past_from, now):
        await asyncio.to_thread(_past, rows, ever, which.zone, report.months)
        report.looked_at += len(rows)
        yield report


async def _pages(
    pool: asyncpg.Pool, statement: str, which: Which, start: datetime, bound: object
) -> AsyncIterator[Sequence[Any]]:
    """Yield pages in the order of (start, id); the next one is read while this one is planned."""

    async def read(after: tuple[datetime, UUID]) -> Sequence[Any]:
        with unavailable():
            return await pool.fetch(statement, *which.arguments, *after, bound, PAGE)

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
