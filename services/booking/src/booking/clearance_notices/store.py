"""`handle.NearVisits` on PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from booking.clearance_notices.domain import LATEST, NearVisit, notices_of
from booking.clearance_notices.messages import clearance_missing
from booking.clearances import store as clearances
from booking.clearances.domain.standing import Standing
from booking.work_list import store as work_list
from booking.work_list.domain import Flag
from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from chassis.time_slots.runner import Scope

# A day more or less on either side, for days of 23 and 25 hours; what is exact is judged by the clinic's wall.
LOCK_NEXT = """
SELECT a.appointment_id, a.patient_id, a.version, a.schedule_gen, a.starts_at, told.days, moment.due
FROM unnest($3::text[], $4::int[]) AS told (service_type, days)
JOIN appointment a ON a.clinic_id = $1 AND a.status = 'booked'
    AND a.starts_at > $6::timestamptz + make_interval(days => told.days - 1)
    AND a.starts_at < $7::timestamptz + make_interval(days => told.days + 1)
    AND CASE WHEN told.service_type IS NULL THEN a.service_type IS NULL OR a.service_type <> ALL ($5::text[])
             ELSE a.service_type = told.service_type END
CROSS JOIN LATERAL (
    SELECT ((a.starts_at AT TIME ZONE $2) - make_interval(days => told.days)) AT TIME ZONE $2 AS due
) AS moment
WHERE moment.due > $6 AND moment.due <= $7 AND a.schedule_set_at <= moment.due
  AND NOT EXISTS (SELECT FROM clearance_notice n WHERE n.appointment_id = a.appointment_id
                  AND n.schedule_gen = a.schedule_gen AND n.days = told.days)
ORDER BY a.appointment_id LIMIT $8 FOR UPDATE OF a
"""

KEEP = """
INSERT INTO clearance_notice (appointment_id, schedule_gen, days, lacked, slot, looked_at)
SELECT appointment_id, schedule_gen, days, lacked, $5, $6
FROM unnest($1::uuid[], $2::int[], $3::int[], $4::bool[]) AS given (appointment_id, schedule_gen, days, lacked)
ON CONFLICT DO NOTHING RETURNING appointment_id, days
"""

_SCOPES = """
SELECT c.clinic_id, c.zone, c.created_at FROM clinic c
WHERE EXISTS (
    SELECT FROM (SELECT DISTINCT ON (service_type) notify_days, unset FROM clearance_policy p
                 WHERE p.clinic_id = c.clinic_id ORDER BY service_type, version DESC) AS newest
    WHERE NOT newest.unset AND cardinality(newest.notify_days) > 0
)
ORDER BY c.clinic_id
"""


class PostgresNearVisits:
    """`handle.NearVisits` within one transaction.

    Args:
        connection: In a transaction, READ COMMITTED: what committed while a row was waited for is seen.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def lock_next(self, clinic_id: str, zone: str, until: datetime, size: int) -> Sequence[NearVisit]:
        policies = await clearances.policies_of(self.connection, [clinic_id])
        notices, own = notices_of(policies[clinic_id])
        rows = await self.connection.fetch(
            LOCK_NEXT, clinic_id, zone, [one.service_type for one in notices], [one.days for one in notices], own,
            until - LATEST, until, size,
        )  # fmt: skip
        return [NearVisit(*row) for row in rows]

    async def standing(self, appointment_ids: Collection[UUID], now: datetime) -> Mapping[UUID, Standing]:
        return await clearances.standing(self.connection, appointment_ids, now, at_start=True)

    async def keep(
        self, looked_at: Sequence[NearVisit], lacking: Collection[UUID], slot: str, now: datetime
    ) -> Collection[tuple[UUID, int]]:
        rows = await self.connection.fetch(
            KEEP,
            [one.appointment_id for one in looked_at],
            [one.schedule_gen for one in looked_at],
            [one.days for one in looked_at],
            [one.appointment_id in lacking for one in looked_at],
            slot,
            now,
        )
        return {(row["appointment_id"], row["days"]) for row in rows}

    async def raise_flags(self, flags: Sequence[Flag], now: datetime) -> None:
        await work_list.raise_flags(self.connection, flags, now)

    async def publish(self, lacking: Sequence[NearVisit], clinic_id: str, caused_by: str, now: datetime) -> None:
        await enqueue(self.connection, [clearance_missing(one, clinic_id, caused_by, now) for one in lacking])


async def clinics(connection: Connection) -> Sequence[Scope]:
    """Return the clinics whose policy in force says when patients are told, each with its zone and since when it is."""
    return [Scope(row["clinic_id"], row["zone"], row["created_at"]) for row in await connection.fetch(_SCOPES)]
