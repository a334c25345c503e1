"""What was said of sources, in PostgreSQL: their restarts and their modes; appended, never changed."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from booking.sources.domain import ModeChange, StepMode
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
_ENFORCED = """
SELECT newest.source FROM unnest($1::text[]) AS asked (source) CROSS JOIN LATERAL (
    SELECT source, mode FROM source_mode_change WHERE source = asked.source ORDER BY change_id DESC LIMIT 1
) AS newest WHERE newest.mode = 'enforce'
"""
_KEEP_MODE = """
INSERT INTO source_mode_change (source, mode, changed_at, changed_by, reason) VALUES ($1, $2, $3, $4, $5)
RETURNING change_id
"""
_MODES = """
SELECT change_id, mode, changed_at, changed_by, reason FROM source_mode_change
WHERE source = $1 AND ($2::bigint IS NULL OR change_id < $2) ORDER BY change_id DESC LIMIT $3
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


async def enforced_of(connection: Connection, sources: Collection[str]) -> Collection[str]:
    """Return which of these sources' steps are enforced."""
    return {row["source"] for row in await connection.fetch(_ENFORCED, list(sources))}


async def keep_mode(
    connection: Connection, source: str, mode: StepMode, by: str, reason: str | None, now: datetime
) -> int:
    """Append a mode to the audit, from which on it holds, and return its number."""
    number: int = await connection.fetchval(_KEEP_MODE, source, mode, now, by, reason)
    return number


async def modes_of(
    connection: Connection | Pool, source: str, before: int | None = None, limit: int = 1
) -> list[ModeChange]:
    """Return the modes that a source was given, newest first, which holds; with `before`, those of a lower number."""
    rows = await connection.fetch(_MODES, source, before, limit)
    return [
        ModeChange(row["change_id"], StepMode(row["mode"]), row["changed_at"], row["changed_by"], row["reason"])
        for row in rows
    ]
