"""Changes of safety flags in PostgreSQL: appended, never changed (D51)."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.safety import statements
from booking.safety.domain import FlagChange
from chassis.postgres.database import Connection, Pool


async def keep_flag_changes(connection: Connection, changes: Sequence[FlagChange], now: datetime) -> None:
    """Append changes of safety flags to their audit (D51)."""
    if changes:
        rows = [(c.kind, c.subject, c.flag, c.was, c.becomes, *c.cause) for c in changes]
        await connection.execute(statements.KEEP_FLAG_CHANGES, *map(list, zip(*rows, strict=True)), now)


async def patient_named(pool: Pool, source: str, source_id: str) -> UUID | None:
    """Return the patient whom a source calls so; None if it calls nobody so."""
    found: UUID | None = await pool.fetchval(statements.NAMED, source, source_id)
    return found


async def is_named_by(pool: Pool, patient_id: UUID | None, sources: Collection[str]) -> bool:
    """Say whether one of the sources has a name for the patient."""
    found: bool = await pool.fetchval(statements.IS_NAMED_BY, patient_id, sources)
    return found


async def changes_of_patient(pool: Pool, patient_id: UUID, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return changes of a patient's flags, and of those of the files merged into his, newest first."""
    return [dict(row) for row in await pool.fetch(statements.OF_PATIENT, patient_id, before, limit)]


async def changes_of_clinic(pool: Pool, clinic: str, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return changes of a clinic's flag, newest first."""
    return [dict(row) for row in await pool.fetch(statements.OF_CLINIC, clinic, before, limit)]
