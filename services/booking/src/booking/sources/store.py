"""When sources began to count their events anew, in PostgreSQL: appended, never changed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from chassis.postgres.database import Connection, Pool

_LAST = """
SELECT source, max(restarted_at) AS restarted_at FROM source_restart WHERE source = ANY ($1::text[]) GROUP BY source
"""
_KEEP = """
INSERT INTO source_restart (source, restarted_at, restarted_by, reason) VALUES ($1, $2, $3, $4) RETURNING restart_id
"""
_OF_SOURCE = """
SELECT restart_id, restarted_at, restarted_by, reason FROM source_restart
WHERE source = $1 AND ($2::bigint IS NULL OR restart_id < $2) ORDER BY restart_id DESC LIMIT $3
"""


async def last_restarts(connection: Connection, sources: Collection[str]) -> Mapping[str, datetime]:
    """Return source → when it last began anew; those that never did are left out."""
    rows = await connection.fetch(_LAST, list(sources))
    return {row["source"]: row["restarted_at"] for row in rows}


async def keep_restart(connection: Connection, source: str, by: str, reason: str, now: datetime) -> int:
    """Append a restart to the audit and return its number."""
    number: int = await connection.fetchval(_KEEP, source, now, by, reason)
    return number


async def restarts_of(pool: Pool, source: str, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return the restarts of a source, newest first; with `before`, those of a lower number."""
    return [dict(row) for row in await pool.fetch(_OF_SOURCE, source, before, limit)]
