"""`handle.FlagStore` on PostgreSQL, and whether the job of reissues has anything to do."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from booking.appointments.store import PostgresStore
from booking.reissues.handle import Job
from chassis.postgres.database import Pool
from schemas.appointments import SENDABLE, Bar

_RAISE_FENCES = "UPDATE patient_reissue SET fence = pg_current_xact_id() WHERE fence IS NULL"

_NEXT_JOBS = """
SELECT reissue_id, patient_id, caused_by, fence < pg_snapshot_xmin(pg_current_snapshot()) AS is_last
FROM patient_reissue
WHERE fence IS NOT NULL AND (NOT looked OR fence < pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY reissue_id LIMIT $1 FOR UPDATE SKIP LOCKED
"""

# Patients first, then their visits one by one by key, whatever the planner thinks of the tables' sizes. Who was merged
# away is looked at with the one who is kept, whose job the merge opened: so each visit is found once, and is ours.
_OUTDATED = """
WITH RECURSIVE file (patient_id, barred) AS (
    SELECT patient_id, barred FROM unnest($1::uuid[], $2::text[]) AS given (patient_id, barred)
    WHERE NOT EXISTS (SELECT FROM patient_merge m WHERE m.patient_id = given.patient_id)
    UNION
    SELECT m.patient_id, file.barred FROM file CROSS JOIN LATERAL (
        SELECT patient_id FROM patient_merge WHERE merged_into = file.patient_id OFFSET 0
    ) m
)
SELECT ahead.appointment_id, ahead.version
FROM file CROSS JOIN LATERAL (
    SELECT appointment_id, version FROM appointment a
    WHERE a.patient_id = file.patient_id AND a.status = ANY ($3::text[]) AND a.starts_at > $4 OFFSET 0
) ahead CROSS JOIN LATERAL (
    SELECT nullif(barred, 'UNSAID') AS barred FROM appointment_history h
    WHERE h.appointment_id = ahead.appointment_id AND h.version = ahead.version OFFSET 0
) told
WHERE told.barred IS DISTINCT FROM file.barred
ORDER BY ahead.appointment_id LIMIT $5
"""

_END = "DELETE FROM patient_reissue WHERE reissue_id = ANY ($1::bigint[])"
_NOTE = "UPDATE patient_reissue SET looked = true WHERE reissue_id = ANY ($1::bigint[])"

_ANY_JOB = """
SELECT EXISTS (SELECT FROM patient_reissue)
    OR EXISTS (SELECT FROM policy_reissue WHERE state IN ('waiting', 'running'))
"""

_REMINDABLE = [status.value for status in SENDABLE]


class PostgresFlagStore(PostgresStore):
    """`reissues.handle.FlagStore` within one transaction: jobs of changed flags, and the visits."""

    async def raise_fences(self) -> None:
        """Mark the jobs that have no fence yet; they end once all transactions of before have ended."""
        await self.connection.execute(_RAISE_FENCES)

    async def next_jobs(self, size: int) -> Sequence[Job]:
        rows = await self.connection.fetch(_NEXT_JOBS, size)
        return [Job(row["reissue_id"], row["patient_id"], row["caused_by"], row["is_last"]) for row in rows]

    async def outdated(self, patients: Mapping[UUID, Bar | None], now: datetime, size: int) -> Mapping[UUID, int]:
        asked = (list(patients), list(patients.values()))
        rows = await self.connection.fetch(_OUTDATED, *asked, _REMINDABLE, now, size)
        return {row["appointment_id"]: row["version"] for row in rows}

    async def note(self, jobs: Sequence[Job]) -> None:
        await self.connection.execute(_END, [job.job_id for job in jobs if job.is_last])
        await self.connection.execute(_NOTE, [job.job_id for job in jobs if not job.is_last])


async def any_job(pool: Pool) -> bool:
    """Say whether a change of a flag or of a policy has still to be worked off."""
    found: bool = await pool.fetchval(_ANY_JOB)
    return found
