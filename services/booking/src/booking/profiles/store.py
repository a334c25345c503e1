"""Profiles in PostgreSQL: appended, never changed; the newest of a source holds."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson

from booking.profiles.version import Version
from chassis.postgres.database import Connection, Pool

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('source profile ' || $1, 0))"
_VERSIONS = """
SELECT version, profile, sha256, applied_at, applied_by, reason FROM source_profile
WHERE source = $1 AND ($2::int IS NULL OR version < $2) ORDER BY version DESC LIMIT $3
"""
_KEEP = """
INSERT INTO source_profile (source, version, profile, sha256, applied_at, applied_by, reason)
VALUES ($1, $2, $3::jsonb, $4, $5, $6, $7)
"""
_NEWEST = """
SELECT DISTINCT ON (source) source, version, profile FROM source_profile ORDER BY source, version DESC
"""
_COUNTRIES = "SELECT clinic_id, country FROM clinic WHERE country IS NOT NULL"
_ZONES = "SELECT clinic_id, zone FROM clinic WHERE $1::text[] IS NULL OR clinic_id = ANY ($1::text[])"


class PostgresProfiles:
    """`ProfileStore`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def lock(self, source: str) -> None:
        """See `ProfileStore`."""
        await self._connection.execute(_LOCK, source)

    async def newest(self, source: str) -> Version | None:
        """See `ProfileStore`."""
        found = await versions_of(self._connection, source)
        return found[0] if found else None

    async def keep(self, source: str, given: Version) -> None:
        """See `ProfileStore`."""
        written = orjson.dumps(given.profile).decode()
        said = (given.version, written, given.sha256, given.applied_at, given.applied_by, given.reason)
        await self._connection.execute(_KEEP, source, *said)

    async def zones_of(self, clinics: Collection[str]) -> Mapping[str, str]:
        """See `ProfileStore`."""
        return await zones_of(self._connection, clinics)


async def versions_of(
    connection: Connection | Pool, source: str, before: int | None = None, limit: int = 1
) -> Sequence[Version]:
    """Return the profiles of a source, newest first, which holds; with `before`, those of a lower number."""
    rows = await connection.fetch(_VERSIONS, source, before, limit)
    return [
        Version(
            version=row["version"],
            profile=orjson.loads(row["profile"]),
            sha256=row["sha256"],
            applied_at=row["applied_at"],
            applied_by=row["applied_by"],
            reason=row["reason"],
        )
        for row in rows
    ]


async def newest(connection: Connection | Pool) -> Mapping[str, tuple[int, Any]]:
    """Return the version and profile (as JSON) that hold, by source."""
    return {row["source"]: (row["version"], orjson.loads(row["profile"])) for row in await connection.fetch(_NEWEST)}


async def zones_of(connection: Connection | Pool, clinics: Collection[str] | None = None) -> Mapping[str, str]:
    """Return the zone of each of these clinics that is known, by code; None: of all clinics."""
    asked = None if clinics is None else list(clinics)
    return {row["clinic_id"]: row["zone"] for row in await connection.fetch(_ZONES, asked)}


async def countries_of(connection: Connection | Pool) -> Mapping[str, str]:
    """Return the country of each clinic that has one, by code."""
    return {row["clinic_id"]: row["country"] for row in await connection.fetch(_COUNTRIES)}
