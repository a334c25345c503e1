"""What booking shows of an appointment, read from PostgreSQL for who may see it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from booking.check_ins.store import of_visit as check_ins_of
from booking.check_ins.store import refused_of_visit
from booking.clearances.answers import standing_view
from booking.clearances.store import standing
from booking.door.domain import Client
from chassis.api.app import Problem
from chassis.postgres.database import Pool

_ONE = """
SELECT a.appointment_id, a.source, i.source_id, a.version, a.status, a.clinic_id
FROM appointment a JOIN appointment_alias i USING (appointment_id)
WHERE a.appointment_id = $1
ORDER BY i.is_further, i.source, i.source_id LIMIT 1
"""
_BY_SOURCE = """
SELECT appointment_id FROM appointment_alias WHERE source = $1 AND source_id IN ($2, 'Appointment/' || $2)
ORDER BY source_id <> $2 LIMIT 1
"""
"""By any name; a resource's id is one as `Appointment/id` too."""
_HISTORY = "SELECT snapshot FROM appointment_history WHERE appointment_id = $1 ORDER BY version"
_BEGINNING = """
SELECT appointment_id, version, schedule_gen FROM appointment
WHERE appointment_id BETWEEN $1 AND $2
  AND ($3::text[] IS NULL OR source = ANY ($3)) AND ($4::text[] IS NULL OR clinic_id IS NULL OR clinic_id = ANY ($4))
ORDER BY appointment_id LIMIT 5
"""


async def one(pool: Pool, appointment_id: UUID, client: Client, now: datetime) -> dict[str, Any]:
    """Return an appointment with its history, and how it stands to what its clinic requires now.

    Raises:
        Problem: 404, the same for what does not exist and for what belongs to others.
    """
    row = await pool.fetchrow(_ONE, appointment_id)
    if row is None or not client.sees_visit(row["source"], row["clinic_id"]):
        raise _unknown()
    history = [orjson.loads(r["snapshot"]) for r in await pool.fetch(_HISTORY, appointment_id)]
    async with pool.acquire() as connection:
        stands = (await standing(connection, [appointment_id], now, at_start=True))[appointment_id]
    return {
        "appointment_id": str(appointment_id),
        "source": row["source"],
        "source_id": row["source_id"],
        "version": row["version"],
        "status": row["status"],
        "tombstone": row["version"] == 0,
        "standing": standing_view(stands).model_dump(mode="json"),
        "check_ins": await check_ins_of(pool, appointment_id),
        "refused_check_ins": await refused_of_visit(pool, appointment_id),
        "current": history[-1] if history else None,
        "history": history,
    }


async def by_source(pool: Pool, source: str, source_id: str, client: Client, now: datetime) -> dict[str, Any]:
    """Return the appointment that a source calls so; as `one`."""
    return await one(pool, await id_called(pool, source, source_id), client, now)


async def id_called(pool: Pool, source: str, source_id: str) -> UUID:
    """Return our id of the appointment that a source calls so; whose it is is not looked at.

    Raises:
        Problem: 404.
    """
    found: UUID | None = await pool.fetchval(_BY_SOURCE, source, source_id)
    if found is None:
        raise _unknown()
    return found


async def beginning(pool: Pool, client: Client, prefix: str) -> dict[str, Any]:
    """Return up to 5 appointments whose ids begin so; hyphens may be left out."""
    digits = prefix.replace("-", "")
    lowest, highest = UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))
    rows = await pool.fetch(_BEGINNING, lowest, highest, client.seen_sources, client.seen_clinics)
    return {"items": [{**dict(row), "appointment_id": str(row["appointment_id"])} for row in rows], "next_after": None}


def _unknown() -> Problem:
    return Problem(404, "UNKNOWN_APPOINTMENT", "No such appointment, or none of this client.")
