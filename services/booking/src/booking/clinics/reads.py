"""Clinics as booking shows them, with how they are reached, read from PostgreSQL for who sees them."""

from typing import Any

from booking.door.domain import ALL, Client
from chassis.postgres.database import Pool

_CLINICS = """
SELECT clinic_id, version, name, zone, country, languages, sensitive, window_opens, window_closes,
       coalesce(d.details, '{}') AS details, coalesce(d.services, '{}') AS services, coalesce((
           SELECT jsonb_agg(jsonb_build_object('source', a.source, 'system', a.system, 'value', a.value)
                            ORDER BY a.source, a.system, a.value)
           FROM clinic_alias a WHERE a.clinic_id = clinic.clinic_id AND ($1::text[] IS NULL OR a.source = ANY ($1))
       ), '[]') AS identifiers
FROM clinic LEFT JOIN clinic_details d USING (clinic_id)
"""
_ONE = f"{_CLINICS} WHERE clinic_id = $2"
_PAGE = f"""{_CLINICS}
WHERE clinic_id > $2 AND ($3::text[] IS NULL OR clinic_id = ANY ($3)) ORDER BY clinic_id LIMIT $4"""


async def one(pool: Pool, client: Client, code: str) -> dict[str, Any] | None:
    """Return the clinic of a code, None if there is none; of its identifiers those of the client's sources."""
    row = await pool.fetchrow(_ONE, _seen(client.sources), code)
    return None if row is None else _shown(row)


async def page(pool: Pool, client: Client, after: str, limit: int) -> list[dict[str, Any]]:
    """Return the clinics that the client sees, in the order of their codes.

    Args:
        after: The code after which the page begins.
    """
    rows = await pool.fetch(_PAGE, _seen(client.sources), after, _seen(client.clinics), limit)
    return list(map(_shown, rows))


def _seen(names: tuple[str, ...]) -> list[str] | None:
    return None if ALL in names else list(names)


def _shown(row: Any) -> dict[str, Any]:
    held = dict(row)
    window = {name: held.pop(f"window_{name}").isoformat("minutes") for name in ("opens", "closes")}
    return {**held, **held.pop("details"), "window": window}
