"""Patients in PostgreSQL, and their events."""

from collections.abc import Collection, Mapping
from uuid import UUID

import asyncpg

from booking.door.records import Records
from booking.patients import statements
from chassis.database import unavailable


class PostgresPatients(Records):
    """Patients within one transaction."""

    async def visited(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Collection[str]]:
        """See `handle.PatientStore`."""
        rows = await self.connection.fetch(statements.VISITED, list(patient_ids))
        return {row["asked"]: row["clinics"] for row in rows}


async def clinics_visited(pool: asyncpg.Pool, patient_id: UUID) -> Collection[str]:
    """Return the clinics of a patient's visits, and of those of the files merged into his; errors do not count.

    Raises:
        Unavailable: The database cannot answer now.
    """
    with unavailable():
        rows = await pool.fetch(statements.VISITED, [patient_id])
    return rows[0]["clinics"] if rows else ()
