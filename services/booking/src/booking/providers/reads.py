"""Clinicians as booking shows them, read from PostgreSQL for whose sources name them."""

from typing import Any
from uuid import UUID

from booking.door.domain import ALL, Client
from booking.values import texts
from chassis.api.app import Problem
from chassis.postgres.database import Pool
from schemas.wire import provider_id

_KEPT_AS = "SELECT first_id FROM provider_alias WHERE source = $1 AND source_id = $2"
_PROVIDER = """
SELECT provider_id, version, name, source, source_id, (
    SELECT jsonb_agg(jsonb_build_object('source', a.source, 'id', a.source_id) ORDER BY a.source_id)
    FROM provider_alias a WHERE a.source = provider.source AND a.first_id = provider.source_id
) AS names
FROM provider
"""
_ONE = f"{_PROVIDER} WHERE provider_id = $1 AND ($2::text[] IS NULL OR source = ANY ($2))"
_SHOWN = f"{_PROVIDER} WHERE provider_id = ANY ($1::uuid[])"
_NAMES = """
SELECT source_id, first_id FROM provider_alias WHERE source = $1 AND source_id > $2 ORDER BY source_id LIMIT $3
"""


async def find(pool: Pool, client: Client, written: str, source: str | None) -> dict[str, Any]:
    """Return the clinician whom a source calls so; or whose id here it is, if no source is named.

    Raises:
        Problem: 404 UNKNOWN_PROVIDER, the same for one who was never entered and for one of others' sources.
        Refused: SOURCE_REQUIRED, FOREIGN_SOURCE, or the id cannot be one.
    """
    written = texts.identifier(written, "id")
    ours = _uuid(written) if source is None else None
    row = None
    if ours is None or (len(client.sources) == 1 and not client.sees_source(ALL)):
        whose = client.source(source)
        first = await pool.fetchval(_KEPT_AS, whose, written)
        row = None if first is None else await pool.fetchrow(_ONE, provider_id(whose, first), None)
    if row is None and ours is not None:
        row = await pool.fetchrow(_ONE, ours, None if client.sees_source(ALL) else list(client.sources))
    if row is None:
        raise Problem(404, "UNKNOWN_PROVIDER", "No such clinician was entered, or none of this client's sources.")
    return dict(row)


async def page(pool: Pool, source: str, after: str, limit: int) -> tuple[list[dict[str, Any]], str | None]:
    """Return the clinicians whom a source names, and the next page's `after`; who was never entered is left out.

    Args:
        after: The source's id after which the page begins.
    """
    rows = await pool.fetch(_NAMES, source, after, limit)
    ids = dict.fromkeys(provider_id(source, row["first_id"]) for row in rows)
    found = {row["provider_id"]: dict(row) for row in await pool.fetch(_SHOWN, list(ids))}
    return [found[one] for one in ids if one in found], rows[-1]["source_id"] if len(rows) == limit else None


def _uuid(written: str) -> UUID | None:
    try:
        return UUID(written)
    except ValueError:
        return None
