"""The visits from a moment on, soonest first, page by page, as `GET /v1/appointments?from=` lists them.

The order is (starts_at, appointment_id). An index has it for each source, another for each source at each clinic, and
PostgreSQL merges those that a client sees: a page reads the rows it shows and one more for each, whatever lies in the
past or belongs to others.
"""

from datetime import datetime
from itertools import product
from typing import Any
from uuid import UUID

from booking.door.domain import Client
from chassis.api.page_cursor import Cursor, next_place
from chassis.postgres.database import Pool

BEGINNING = UUID(int=0)
"""An `after` of zeros begins, as none does."""

_EVERY_SOURCE = """
WITH RECURSIVE known (source) AS (
    (SELECT source FROM appointment ORDER BY source LIMIT 1)
    UNION ALL
    SELECT (SELECT a.source FROM appointment a WHERE a.source > known.source ORDER BY a.source LIMIT 1)
    FROM known WHERE known.source IS NOT NULL
)
SELECT source FROM known WHERE source IS NOT NULL
"""  # steps from each to the next through the index
_COLUMNS = "appointment_id, version, schedule_gen, starts_at"
_VISITS = f"""
SELECT {_COLUMNS} FROM appointment
WHERE (starts_at, appointment_id) > ($1, $2) AND version > 0 AND source = ${{}}"""  # noqa: S608  # ours
_AT_CLINIC = " AND clinic_id = ${}"
_SOONEST = " ORDER BY starts_at, appointment_id LIMIT "


async def page(
    pool: Pool, client: Client, start: datetime, after: str | None, limit: int, source: str | None = None
) -> dict[str, Any]:
    """Return a page of the visits that begin at or after `start`; `next_after` is the next page's `after`.

    Args:
        client: Who asks; others' visits are left out.
        after: `next_after` of the page before; None, or zeros: from the beginning.
        source: One that the client sees: what came from it alone.
    """
    place = place_of(start, after)
    sources = await sources_of(pool, client, source)
    shares = list(product(sources, *([] if client.seen_clinics is None else [client.seen_clinics])))
    rows = await pool.fetch(_statement(shares, limit), *place, *sum(shares, ())) if shares else []
    items = [
        {
            "appointment_id": str(row["appointment_id"]),
            "version": row["version"],
            "schedule_gen": row["schedule_gen"],
        }
        for row in rows
    ]
    after = next_place(rows, limit, lambda row: Cursor(row["starts_at"], row["appointment_id"]).text())
    return {"items": items, "next_after": after}


def place_of(start: datetime, after: str | None) -> tuple[datetime, UUID]:
    """Return the place after which a page begins: that of `after`, if it is not before `start`."""
    if after is None or after == str(BEGINNING):
        return start, BEGINNING
    place = Cursor.read(after)
    return max((place.at or start, place.id), (start, BEGINNING))


async def sources_of(pool: Pool, client: Client, named: str | None = None) -> list[str]:
    """Return the sources whose visits the client sees, or of them the one that is asked for."""
    if named is not None:
        return [named]
    if client.seen_sources is not None:
        return client.seen_sources
    return [row["source"] for row in await pool.fetch(_EVERY_SOURCE)]


def _statement(shares: list[tuple[str, ...]], limit: int) -> str:
    """Return the page of these shares, each a source or a source and a clinic.

    The limit stands in each as a number: whatever plan PostgreSQL keeps, it knows that few rows are wanted in order.
    """
    width, soonest = len(shares[0]), f"{_SOONEST}{limit:d}"
    share = f"({_VISITS}{_AT_CLINIC * (width - 1)}{soonest})"
    each = (share.format(*range(first, first + width)) for first in range(3, 3 + width * len(shares), width))
    return f"SELECT {_COLUMNS} FROM ({' UNION ALL '.join(each)}) AS own{soonest}"  # noqa: S608  # ours
