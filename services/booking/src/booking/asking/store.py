"""What a client sees, read from PostgreSQL."""

from collections.abc import Collection
from uuid import UUID

from booking.asking import statements as sql
from booking.asking.bodies import SeenVisit
from booking.door.domain import Client
from chassis.postgres.database import Pool


async def seen(pool: Pool, client: Client, ids: Collection[UUID]) -> list[SeenVisit]:
    """Return those of these visits that the client sees, by where each stands now."""
    rows = await pool.fetch(sql.SEEN, list(set(ids)), client.seen_sources, client.seen_clinics)
    return [SeenVisit.model_validate(dict(row)) for row in rows]


async def kept(pool: Pool, patient_id: UUID) -> UUID | None:
    """Return the patient himself, or the one he was merged into; None: there is none of this id."""
    found: UUID | None = await pool.fetchval(sql.KEPT, patient_id)
    return found
