"""Visits as a front desk needs them, soonest first, page by page: when, what, with whom, and who comes.

A page reads the rows that it shows: by an index of the source at the clinic, of the provider or of the patient, between
the bounds asked for.
"""

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from typing import Any
from uuid import UUID

from booking.appointments.pages import place_of, sources_of
from booking.appointments.wanted import Wanted
from booking.door.domain import ALL, Client
from booking.patients.store import clinics_of
from booking.values.times import wall_time
from booking.values.warned import FOREIGN_PATIENT
from chassis.api.page_cursor import Cursor, next_place
from chassis.postgres.database import Pool

UNREGISTERED = "UNREGISTERED"

_COLUMNS = (
    "appointment_id, version, schedule_gen, source, status, confirmed, starts_at, ends_at, clinic_id, service_type, "
    "provider_id, patient_id, reason"
)
_WHOLE = """
WITH page AS MATERIALIZED ({page})
SELECT page.appointment_id, version, schedule_gen, page.source, named.source_id, status, confirmed, starts_at, ends_at,
       page.clinic_id, clinic.zone, service_type, page.provider_id, whom.name AS provider_name, patient_id, reason
FROM page
LEFT JOIN LATERAL (SELECT zone FROM clinic WHERE clinic.clinic_id = page.clinic_id OFFSET 0) clinic ON true
LEFT JOIN LATERAL (SELECT name FROM provider WHERE provider.provider_id = page.provider_id OFFSET 0) whom ON true
LEFT JOIN LATERAL (
    SELECT source_id FROM appointment_alias WHERE appointment_alias.appointment_id = page.appointment_id
    ORDER BY is_further, source, source_id LIMIT 1
) named ON true
ORDER BY starts_at, page.appointment_id
"""
_NAMED_BY = """
SELECT DISTINCT patient_id FROM patient_alias WHERE patient_id = ANY ($1::uuid[]) AND source = ANY ($2::text[])
"""
_PATIENTS = (
    "SELECT patient_id, version, given_name, family_name, mobile FROM patient WHERE patient_id = ANY ($1::uuid[])"
)


async def page(pool: Pool, client: Client, wanted: Wanted, after: str | None, limit: int) -> dict[str, Any]:
    """Return a page of the visits; `next_after` is the next page's `after`.

    Args:
        client: Who asks; others' visits are left out, and patients whom he may not read have no name.
        after: `next_after` of the page before; None: from the beginning.
    """
    statement, values = page_statement(client, await sources_of(pool, client, wanted.source), wanted, after, limit)
    rows = await pool.fetch(statement, *values) if statement else []
    whom = {row["patient_id"] for row in rows}
    shown = await _shown(pool, client, whom)
    people = {row["patient_id"]: row for row in await pool.fetch(_PATIENTS, list(shown))} if shown else {}
    return {
        "items": [_item(row, people, is_shown=row["patient_id"] in shown) for row in rows],
        "next_after": next_place(rows, limit, lambda row: Cursor(row["starts_at"], row["appointment_id"]).text()),
    }


def page_statement(
    client: Client, sources: Sequence[str], wanted: Wanted, after: str | None, limit: int
) -> tuple[str, list[Any]]:
    """Return the page's statement and its values; an empty one where the client sees nothing of it."""
    values: list[Any] = list(place_of(wanted.start, after))

    def given(value: object) -> str:
        values.append(value)
        return f"${len(values)}"

    bounds = " AND (starts_at, appointment_id) > ($1, $2) AND version > 0"
    bounds += f" AND starts_at < {given(wanted.until)}" if wanted.until is not None else ""
    bounds += f" AND status = ANY ({given(wanted.statuses)}::text[])" if wanted.statuses is not None else ""
    ordered = f"{bounds} ORDER BY starts_at, appointment_id LIMIT {limit:d}"
    clinics = client.seen_clinics if wanted.clinic is None else [wanted.clinic]
    if wanted.provider is None and wanted.patients is None:
        shares = product(map(given, sources), *([] if clinics is None else [list(map(given, clinics))]))
        own = [
            " AND ".join(f"{name} = {value}" for name, value in zip(_SHARE, share, strict=False)) for share in shares
        ]
    else:
        own = [" AND ".join(_of_somebody(client, clinics, wanted, given))]
    each = " UNION ALL ".join(f"(SELECT {_COLUMNS} FROM appointment WHERE {one}{ordered})" for one in own)  # noqa: S608
    whole = f"SELECT {_COLUMNS} FROM ({each}) AS own ORDER BY starts_at, appointment_id LIMIT {limit:d}"  # noqa: S608
    return _WHOLE.format(page=whole) if each else "", values


_SHARE = ("source", "clinic_id")


def _of_somebody(client: Client, clinics: list[str] | None, wanted: Wanted, given: Any) -> list[str]:
    """Return the conditions of a provider's or a patient's visits, of which there are few."""
    own = [f"provider_id = {given(wanted.provider)}"] if wanted.provider is not None else []
    own += [f"patient_id = ANY ({given(list(wanted.patients))}::uuid[])"] if wanted.patients is not None else []
    sources = client.seen_sources if wanted.source is None else [wanted.source]
    own += [] if sources is None else [f"source = ANY ({given(sources)}::text[])"]
    return own + ([] if clinics is None else [f"clinic_id = ANY ({given(clinics)}::text[])"])


async def _shown(pool: Pool, client: Client, patients: Collection[UUID]) -> set[UUID]:
    """Return whom of these patients the client may read: those of its sources of whom it sees every clinic (0025)."""
    shown = set(patients) - {None}
    if shown and not client.sees_source(ALL):
        rows = await pool.fetch(_NAMED_BY, list(shown), list(client.sources))
        shown = {row["patient_id"] for row in rows}
    if shown and client.is_limited:
        visited = await clinics_of(pool, shown)
        shown -= {patient for patient, clinics in visited.items() if not client.may_write(clinics)}
    return shown


def _item(row: Any, people: Mapping[UUID, Any], *, is_shown: bool) -> dict[str, Any]:
    """Return a visit as it is answered."""
    person = people.get(row["patient_id"])
    person = person if person is not None and person["version"] > 0 else None
    names = () if person is None else (person["given_name"], person["family_name"])
    withheld = UNREGISTERED if is_shown else FOREIGN_PATIENT
    zone, starts_at = row["zone"], row["starts_at"]
    return {
        **{name: row[name] for name in _AS_THEY_ARE},
        "starts_at": starts_at,
        "starts_local": wall_time(starts_at, zone).isoformat() if zone else None,
        "patient_name": " ".join(filter(None, names)) or None,
        "patient_mobile": None if person is None else person["mobile"],
        "patient_withheld": withheld if person is None else None,
    }


_AS_THEY_ARE = (
    "appointment_id", "version", "schedule_gen", "source", "source_id", "status", "confirmed", "ends_at", "clinic_id",
    "zone", "service_type", "provider_id", "provider_name", "patient_id", "reason",
)  # fmt: skip
