"""The appointments ahead, for whoever keeps something of his own in step with them: light pages, and whole snapshots.

Pages go in the order of the ids, each over so many appointments at most as one statement may look at, so that
years of past visits cost a page no more than the next. An appointment that changes meanwhile keeps its place.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.postgres.database import Pool

_COLUMNS = (
    "appointment_id, version, schedule_gen, status, starts_at, ingest_time AS since, "
    "nullif((SELECT h.barred FROM appointment_history h "
    "WHERE h.appointment_id = appointment.appointment_id AND h.version = appointment.version), 'UNSAID') AS barred"
)
_EVERY, _OWN = "TRUE", "topic_partition(appointment_id) = {}"  # the expression of the index appointment_topic_partition


def _last(share: str) -> str:
    return (
        f"SELECT appointment_id FROM appointment WHERE {share.format('$3')} AND appointment_id > $1 "  # noqa: S608  # ours
        "ORDER BY appointment_id OFFSET $2 - 1 LIMIT 1"
    )


def _page(share: str) -> str:
    return (
        f"SELECT {_COLUMNS} FROM appointment WHERE {share.format('$4')} AND appointment_id > $1 "  # noqa: S608  # ours
        "AND ($2::uuid IS NULL OR appointment_id <= $2) AND version > 0 AND starts_at >= $3 ORDER BY appointment_id"
    )


_STATES = f"""
SELECT {_COLUMNS} FROM appointment WHERE appointment_id = ANY ($1::uuid[]) AND version > 0 ORDER BY appointment_id
"""  # noqa: S608  # names of ours
_SNAPSHOTS = """
SELECT h.snapshot FROM appointment a JOIN appointment_history h USING (appointment_id, version)
WHERE a.appointment_id = ANY ($1::uuid[]) AND a.version > 0 ORDER BY a.appointment_id
"""


async def page(pool: Pool, now: datetime, after: UUID, limit: int, partition: int | None = None) -> dict[str, Any]:
    """Return those ahead of `now` among the next `limit` appointments after `after`, of one partition or of all."""
    share, own = (_EVERY, ()) if partition is None else (_OWN, (partition,))
    last = await pool.fetchval(_last(share), after, limit, *own)
    rows = await pool.fetch(_page(share), after, last, now, *own)
    return {"items": [dict(row) for row in rows], "next_after": last}


async def states(pool: Pool, appointment_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return these appointments as they are now, ahead or not; those unknown, or never booked, are left out."""
    return [dict(row) for row in await pool.fetch(_STATES, appointment_ids)]


async def snapshots(pool: Pool, appointment_ids: Sequence[UUID]) -> list[str]:
    """Return the newest event of these appointments, each as it was published: JSON."""
    return [row["snapshot"] for row in await pool.fetch(_SNAPSHOTS, appointment_ids)]
