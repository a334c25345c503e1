"""Visits that nobody came to, found in PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from booking.appointments import statements
from booking.appointments.domain.state import AppointmentState
from booking.appointments.store import followed, state_of
from booking.no_shows.domain import MAY_BE_MISSED, NoShowRule
from chassis.postgres.bounded_count import LONGEST_S, MOST, Count, in_time
from chassis.postgres.database import Connection, Pool
from chassis.time_slots.runner import Scope

_ENDS = "coalesce(ends_at, starts_at + $1::interval)"

_STATUSES = ", ".join(f"'{status.value}'" for status in MAY_BE_MISSED)

_EXPECTED = f"""
    FROM appointment
    WHERE status IN ({_STATUSES}) AND schedule_set_at <= {_ENDS}
"""
"""Visits that may become no-shows, imported ones that were ahead when they came too. One whose time was told only when
it was over is history, not a no-show, whatever mode its sender gave it (D19)."""


LOCK_UNATTENDED = f"""
SELECT {statements.HELD} {_EXPECTED} AND clinic_id = $2 AND starts_at <= $3 AND {_ENDS} <= $3
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
    ) -> Mapping[UUID, AppointmentState]:
        rows = await self.connection.fetch(LOCK_UNATTENDED, visit_length, clinic_id, ended_by, size)
        return await followed(self.connection, {row[0]: state_of(row) for row in rows})


async def clinics(connection: Connection) -> Sequence[Scope]:
    """Return the clinics, each with its zone and since when it is there."""
    return [Scope(row["clinic_id"], row["zone"], row["created_at"]) for row in await connection.fetch(_SCOPES)]


async def soonest_ends(connection: Connection, visit_length: timedelta) -> Mapping[str, datetime]:
    """Return clinic → the end that comes first of its visits that may become no-shows; those without are left out."""
    rows = await connection.fetch(SOONEST_END, visit_length)
    return {row["clinic_id"]: row["ends_at"] for row in rows if row["ends_at"] is not None}


async def count_unattended(
    pool: Pool, rule: NoShowRule, now: datetime, most: int = MOST, longest_s: float = LONGEST_S
) -> tuple[Mapping[str, int], Count]:
    """Return clinic → how many visits would be no-shows if a slot were due now, and how many in all; changes nothing.

    It is counted up to `most` in all, and for `longest_s` at most.
    """
    asked = (rule.visit_length, now - rule.grace, most + 1)
    rows = await in_time(pool, COUNT_UNATTENDED, *asked, longest_s=longest_s)
    if rows is None:
        return {}, Count(None)
    counts = {row["clinic_id"]: row["visits"] for row in rows}
    found = sum(counts.values())
    return counts, Count(min(found, most), found > most)
