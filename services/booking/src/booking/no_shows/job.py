"""The no-show check on PostgreSQL: a job of the wall clock, one slot for each clinic every two hours (R18, D20)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from booking.adapters import sql
from booking.adapters.store import PostgresStore, followed, state_of
from booking.appointments.domain.state import State
from booking.no_shows.domain import NoShowRule
from booking.no_shows.handle import mark_no_shows
from chassis.counting import LONGEST_S, MOST, Count, in_time
from chassis.database import Connection, unavailable
from chassis.slots import Performed, Scope
from chassis.timetable import Every, Slot, Timetable

JOB = "no-show"
AT_ONCE = 500
"""Visits of one transaction: some 50 ms, far below the role's transaction_timeout."""

_NAMES = ", ".join(name for name, _ in sql.APPOINTMENT_COLUMNS)
_ENDS = "coalesce(ends_at, starts_at + $1::interval)"
_EXPECTED = f"""
    FROM appointment
    WHERE status = 'booked' AND schedule_set_at <= {_ENDS}
"""
"""Visits that may become no-shows, imported ones that were ahead when they came too. One whose time was told only when
it was over is history, not a no-show, whatever mode its sender gave it (D19)."""

LOCK_UNATTENDED = f"""
SELECT {_NAMES} {_EXPECTED} AND clinic_id = $2 AND starts_at <= $3 AND {_ENDS} <= $3
ORDER BY appointment_id LIMIT $4 FOR UPDATE
"""  # names of ours

COUNT_UNATTENDED = f"""
SELECT clinic_id, count(*) AS visits
FROM (SELECT clinic_id {_EXPECTED} AND starts_at <= $2 AND {_ENDS} <= $2 LIMIT $3) AS counted
GROUP BY clinic_id ORDER BY clinic_id
"""  # noqa: S608  # names of ours

SOONEST_END = f"""
SELECT clinic.clinic_id, (
    SELECT min({_ENDS}) {_EXPECTED} AND clinic_id = clinic.clinic_id AND starts_at <= (
        SELECT {_ENDS} {_EXPECTED} AND clinic_id = clinic.clinic_id ORDER BY starts_at LIMIT 1
    )
) AS ends_at
FROM clinic
"""  # noqa: S608  # names of ours
"""Of each clinic the end that comes first: a visit that ends before the first one does has begun before that."""

_SCOPES = "SELECT clinic_id, zone, created_at FROM clinic ORDER BY clinic_id"


class PostgresUnattended:
    """`handle.Unattended` within one transaction.

    Args:
        connection: In a transaction, READ COMMITTED: a row that changed while it was waited for is judged again.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def lock_unattended(
        self, clinic_id: str, ended_by: datetime, visit_length: timedelta, size: int
    ) -> Mapping[UUID, State]:
        """See `handle.Unattended`."""
        rows = await self.connection.fetch(LOCK_UNATTENDED, visit_length, clinic_id, ended_by, size)
        return await followed(self.connection, {row[0]: state_of(row) for row in rows})


class NoShowCheck:
    """`chassis.slots.Job`: visits still booked some time after their end become no-shows.

    Args:
        rule: The installation's choices; `every` must not be zero.
        size: Visits of one transaction, at most.
    """

    name = JOB

    def __init__(self, rule: NoShowRule, size: int = AT_ONCE) -> None:
        self.rule = rule
        self._size = size
        self._every = Every(rule.every)

    @property
    def timetable(self) -> Timetable:
        """Return every so many hours since each clinic's midnight; a missed slot always runs."""
        return self._every

    async def scopes(self, connection: Connection) -> Sequence[Scope]:
        """Return the clinics."""
        return [Scope(row["clinic_id"], row["zone"], row["created_at"]) for row in await connection.fetch(_SCOPES)]

    async def perform(self, connection: Connection, scope: Scope, slot: Slot, now: datetime) -> Performed:
        """Make the next visits of the slot no-shows."""
        store = PostgresStore(connection)
        found = await mark_no_shows(
            PostgresUnattended(connection), store, scope.name, (slot.name, slot.due), self.rule, self._size, now
        )
        return Performed(found, more=found == self._size)

    async def next_wake(self, connection: Connection, scopes: Sequence[Scope], now: datetime) -> datetime | None:
        """Return the first slot at which a visit booked now would become a no-show."""
        rows = await connection.fetch(SOONEST_END, self.rule.visit_length)
        ends = {row["clinic_id"]: row["ends_at"] for row in rows if row["ends_at"] is not None}
        return min((self._slot_of(s.zone, ends[s.name], now) for s in scopes if s.name in ends), default=None)

    def _slot_of(self, zone: str, ends_at: datetime, now: datetime) -> datetime:
        due = self._every.at_or_after(zone, ends_at + self.rule.grace).due
        return due if due > now else self._every.following(zone, now).due


async def count_unattended(
    pool: asyncpg.Pool, rule: NoShowRule, now: datetime, most: int = MOST, longest_s: float = LONGEST_S
) -> tuple[Mapping[str, int], Count]:
    """Return clinic → how many visits would be no-shows if a slot were due now, and how many in all; changes nothing.

    It is counted up to `most` in all, and for `longest_s` at most.
    """
    with unavailable():
        asked = (rule.visit_length, now - rule.grace, most + 1)
        rows = await in_time(pool, COUNT_UNATTENDED, *asked, longest_s=longest_s)
    if rows is None:
        return {}, Count(None)
    counts = {row["clinic_id"]: row["visits"] for row in rows}
    found = sum(counts.values())
    return counts, Count(min(found, most), found > most)
