"""Changes of safety flags in PostgreSQL: appended, never changed (D51)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.safety.domain import FlagChange
from chassis.postgres.database import Connection, Pool

KEEP_FLAG_CHANGES = """
INSERT INTO safety_change (kind, subject, flag, was, becomes, changed_by, caused_by, changed_at)
SELECT kind, subject, flag, was, becomes, client, event, $8
FROM unnest($1::text[], $2::text[], $3::text[], $4::boolean[], $5::boolean[], $6::text[], $7::text[])
     WITH ORDINALITY AS given (kind, subject, flag, was, becomes, client, event, n)
ORDER BY n
"""

NAMED = "SELECT patient_id FROM patient_alias WHERE source = $1 AND source_id = $2"
IS_NAMED_BY = "SELECT EXISTS (SELECT FROM patient_alias WHERE patient_id = $1 AND source = ANY ($2::text[]))"
_COLUMNS = "change_id, kind, subject, flag, was, becomes, changed_at, changed_by, caused_by"
_NEWEST = "AND ($2::bigint IS NULL OR change_id < $2) ORDER BY change_id DESC LIMIT $3"
OF_PATIENT = f"""
WITH RECURSIVE file AS (
    SELECT $1::uuid AS patient_id
    UNION
    SELECT m.patient_id FROM file JOIN patient_merge m ON m.merged_into = file.patient_id
)
SELECT {_COLUMNS} FROM safety_change
WHERE kind = 'patient' AND subject IN (SELECT patient_id::text FROM file) {_NEWEST}"""  # noqa: S608  # constants
OF_CLINIC = f"SELECT {_COLUMNS} FROM safety_change WHERE kind = 'clinic' AND subject = $1 {_NEWEST}"  # noqa: S608


async def keep_flag_changes(connection: Connection, changes: Sequence[FlagChange], now: datetime) -> None:
    """Append changes of safety flags to their audit (D51)."""
    if changes:
        rows = [(c.kind, c.subject, c.flag, c.was, c.becomes, *c.cause) for c in changes]
        await connection.execute(KEEP_FLAG_CHANGES, *map(list, zip(*rows, strict=True)), now)


async def patient_named(pool: Pool, source: str, source_id: str) -> UUID | None:
    """Return the patient whom a source calls so; None if it calls nobody so."""
    found: UUID | None = await pool.fetchval(NAMED, source, source_id)
    return found


async def is_named_by(pool: Pool, patient_id: UUID | None, sources: Collection[str]) -> bool:
    """Say whether one of the sources has a name for the patient."""
    found: bool = await pool.fetchval(IS_NAMED_BY, patient_id, sources)
    return found


async def changes_of_patient(pool: Pool, patient_id: UUID, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return changes of a patient's flags, and of those of the files merged into his, newest first."""
    return [dict(row) for row in await pool.fetch(OF_PATIENT, patient_id, before, limit)]


async def changes_of_clinic(pool: Pool, clinic: str, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return changes of a clinic's flag, newest first."""
    return [dict(row) for row in await pool.fetch(OF_CLINIC, clinic, before, limit)]
