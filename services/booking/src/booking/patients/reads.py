"""Patients as booking shows them, read from PostgreSQL for who may see them: by a source's name, or by our id.

A client sees whom its sources name, and of them those alone whose clinics it sees, as it may write them (0025).
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from booking.door.domain import ALL, Client
from booking.patients.store import clinics_of, clinics_visited
from booking.values import texts
from booking.values.identity import Identity
from chassis.api.app import Problem
from chassis.postgres.database import Pool

_NAMED = "SELECT patient_id, source, source_id FROM patient_alias WHERE source = $1 AND source_id = $2"

# An id that was merged away is the kept one's; its names went there.
_NAMED_BY = """
SELECT patient_id, source, source_id FROM patient_alias
WHERE patient_id = coalesce((SELECT kept FROM kept_patients(ARRAY[$1::uuid])), $1)
  AND ($2::text[] IS NULL OR source = ANY ($2))
ORDER BY source, source_id LIMIT 1
"""

MAIN_FILE = re.compile(r"FILE-[0-9]{4}-[0-9]{6}")

_OF_FILE = "SELECT patient_id FROM patient WHERE main_file = $1"

_SHOWN = """
SELECT patient_id, version, main_file, given_name, family_name, mobile, email, language, contact_of, consent,
       do_not_contact, deceased, (
           SELECT jsonb_agg(jsonb_build_object('source', a.source, 'id', a.source_id) ORDER BY a.source, a.source_id)
           FROM patient_alias a
           WHERE a.patient_id = patient.patient_id AND ($2::text[] IS NULL OR a.source = ANY ($2))
       ) AS names
FROM patient WHERE patient_id = ANY ($1::uuid[])
"""

_PAGE = """
SELECT a.source_id, a.patient_id FROM patient_alias a JOIN patient p USING (patient_id)
WHERE a.source = $1 AND a.source_id > $2
  AND ($4::text IS NULL OR lower(p.family_name) ^@ lower($4) OR lower(p.given_name) ^@ lower($4))
ORDER BY a.source_id LIMIT $3
"""


class Found(NamedTuple):
    """A patient, and a name by which a source of the client calls him."""

    patient_id: UUID
    identity: Identity


async def find(pool: Pool, client: Client, written: str, source: str | None) -> Found:
    """Return the patient whom a source calls so; or whose id here, or main file's number, it is, if none is named.

    An id of a file that was merged away leads to the one that is kept, as its names do.

    Raises:
        Problem: 404 UNKNOWN_PATIENT, the same for one who does not exist and for one whom no source of the client
            names.
        Refused: SOURCE_REQUIRED, FOREIGN_SOURCE, FOREIGN_PATIENT, or the id cannot be one.
    """
    written = texts.identifier(written, "id")
    ours = await _ours(pool, written) if source is None else None
    named = ours is None or (len(client.sources) == 1 and not client.sees_source(ALL))
    row = await pool.fetchrow(_NAMED, client.source(source), written) if named else None
    if row is None and ours is not None:
        row = await pool.fetchrow(_NAMED_BY, ours, client.seen_sources)
    if row is None:
        raise Problem(404, "UNKNOWN_PATIENT", "No such patient, or none whom this client's sources name.")
    if client.is_limited:
        client.check_may_write(await clinics_visited(pool, row["patient_id"]), "id")
    return Found(row["patient_id"], (row["source"], row["source_id"]))


async def shown(pool: Pool, client: Client, patient_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return these patients with their names, in this order."""
    rows = await pool.fetch(_SHOWN, list(patient_ids), client.seen_sources)
    by_id = {row["patient_id"]: dict(row) for row in rows}
    return [by_id[patient_id] for patient_id in patient_ids]


async def page(
    pool: Pool, client: Client, source: str, after: str, limit: int, name: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the patients whom a source names, those whose clinics the client does not see left out; and `after`.

    Args:
        after: The source's id after which the page begins.
        name: With what a given or family name begins, in any case; None: whoever it is.
    """
    rows = await pool.fetch(_PAGE, source, after, limit, name)
    ids = list(dict.fromkeys(row["patient_id"] for row in rows))
    if client.is_limited and ids:
        visited = await clinics_of(pool, ids)
        ids = [one for one in ids if client.may_write(visited.get(one, ()))]
    return await shown(pool, client, ids), rows[-1]["source_id"] if len(rows) == limit else None


async def _ours(pool: Pool, written: str) -> UUID | None:
    """Return the id here that is written, or that has the main file of this number; None: it is neither."""
    if MAIN_FILE.fullmatch(written):
        found: UUID | None = await pool.fetchval(_OF_FILE, written)
        return found
    try:
        return UUID(written)
    except ValueError:
        return None
