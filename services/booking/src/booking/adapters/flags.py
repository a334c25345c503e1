"""`handle_flags.FlagStore` on PostgreSQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from booking.adapters import sql
from booking.adapters.store import PostgresStore, followed, state_of
from booking.domain.states import State
from booking.handle_flags import Job
from schemas.appointments import SENDABLE, Bar

RAISE_FENCES = "UPDATE patient_reissue SET fence = pg_current_xact_id() WHERE fence IS NULL"

_NEXT_JOBS = """
SELECT reissue_id, patient_id, caused_by, fence < pg_snapshot_xmin(pg_current_snapshot()) AS is_last
FROM patient_reissue
WHERE fence IS NOT NULL AND (NOT looked OR fence < pg_snapshot_xmin(pg_current_snapshot()))
ORDER BY reissue_id LIMIT $1 FOR UPDATE SKIP LOCKED
"""

_NAMES = ", ".join(f"a.{name}" for name, _ in sql.APPOINTMENT_COLUMNS)

# A row that changed while it was waited for is judged again, beside the history of its old version: it falls out.
_LOCK_OUTDATED = f"""
WITH RECURSIVE so (patient_id, barred) AS MATERIALIZED (
    SELECT patient_id, barred FROM unnest($1::uuid[], $2::text[]) AS given (patient_id, barred)
), file AS (
    SELECT so.patient_id, so.barred FROM so
    UNION
    SELECT m.patient_id, file.barred FROM file JOIN patient_merge m ON m.merged_into = file.patient_id
)
SELECT {_NAMES}
FROM file JOIN appointment a ON a.patient_id = file.patient_id
JOIN appointment_history h ON h.appointment_id = a.appointment_id AND h.version = a.version
WHERE a.status = ANY ($3::text[]) AND a.starts_at > $4 AND h.barred IS DISTINCT FROM file.barred
ORDER BY a.appointment_id LIMIT $5 FOR UPDATE OF a
"""  # noqa: S608  # names of ours

_END = "DELETE FROM patient_reissue WHERE reissue_id = ANY ($1::bigint[])"
_NOTE = "UPDATE patient_reissue SET looked = true WHERE reissue_id = ANY ($1::bigint[])"

_REMINDABLE = [status.value for status in SENDABLE]


class PostgresFlagStore(PostgresStore):
    """Jobs of changed flags, and the visits, within one transaction."""

    async def next_jobs(self, size: int) -> Sequence[Job]:
        """See `handle_flags.FlagStore`."""
        rows = await self.connection.fetch(_NEXT_JOBS, size)
        asked = [row["patient_id"] for row in rows]
        kept = {row["away"]: row["kept"] for row in await self.connection.fetch(sql.KEPT_PATIENTS, asked)}
        return [
            Job(row["reissue_id"], kept.get(row["patient_id"], row["patient_id"]), row["caused_by"], row["is_last"])
            for row in rows
        ]

    async def lock_outdated(
        self, patients: Mapping[UUID, Bar | None], now: datetime, size: int
    ) -> Mapping[UUID, State]:
        """See `handle_flags.FlagStore`."""
        asked = (list(patients), list(patients.values()))
        rows = await self.connection.fetch(_LOCK_OUTDATED, *asked, _REMINDABLE, now, size)
        return await followed(self.connection, {row[0]: state_of(row) for row in rows})

    async def note(self, jobs: Sequence[Job]) -> None:
        """See `handle_flags.FlagStore`."""
        await self.connection.execute(_END, [job.job_id for job in jobs if job.is_last])
        await self.connection.execute(_NOTE, [job.job_id for job in jobs if not job.is_last])
