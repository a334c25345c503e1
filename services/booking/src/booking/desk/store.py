"""`handle.Orders` on PostgreSQL, and the visits that a desk chooses."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from booking.appointments.pages import sources_of
from booking.appointments.store import PostgresStore
from booking.appointments.visits import page_statement
from booking.appointments.wanted import Wanted
from booking.desk.domain import Order, Visit, Wish
from booking.door.domain import OPERATOR, Client
from chassis.postgres.database import Connection, Pool
from chassis.process.errors import Unavailable
from schemas.appointments import Status

NOBODY_NAMED = UUID(int=0)

_KEPT = "SELECT body_sha256, appointment_ids, starts, asked_at FROM desk_change WHERE client = $1 AND key = $2"
_KEEP = """
INSERT INTO desk_change (client, key, body_sha256, act, changed_by, reason, appointment_ids, starts, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_STARTS = "SELECT appointment_id, starts_at FROM appointment WHERE appointment_id = ANY ($1::uuid[]) AND version > 0"
_VISITS = """
SELECT a.appointment_id, a.source, named.source_id, a.status, a.starts_at, a.clinic_id, clinic.zone, a.provider_id,
       a.patient_id
FROM unnest($1::uuid[]) AS asked (appointment_id)
JOIN appointment a USING (appointment_id)
LEFT JOIN clinic USING (clinic_id)
CROSS JOIN LATERAL (
    SELECT source_id FROM appointment_alias WHERE appointment_alias.appointment_id = a.appointment_id
    AND appointment_alias.source = a.source ORDER BY is_further, source_id LIMIT 1
) named
WHERE a.version > 0
"""
_WHOM = """
SELECT coalesce((SELECT kept FROM kept_patients(ARRAY[his.patient_id])), his.patient_id) AS patient_id FROM (
    SELECT 1 AS nth, patient_id FROM patient_alias WHERE source = $1 AND source_id = $2
    UNION ALL SELECT 2, $3::uuid
) AS his
ORDER BY nth LIMIT 1
"""
_CHANGES = """
SELECT change_id, client, key AS event_id, act, changed_by AS by, reason, cardinality(appointment_ids) AS visits,
       asked_at
FROM desk_change
WHERE ($1::text IS NULL OR client = $1) AND ($2::bigint IS NULL OR change_id < $2)
ORDER BY change_id DESC LIMIT $3
"""


class PostgresOrders:
    """`handle.Orders` within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def kept(self, wish: Wish) -> tuple[bytes, Order] | None:
        row = await self._connection.fetchrow(_KEPT, wish.client.client_id, wish.key)
        if row is None:
            return None
        return row["body_sha256"], Order(dict(zip(row["appointment_ids"], row["starts"], strict=True)), row["asked_at"])

    async def keep(self, wish: Wish, order: Order) -> None:
        named = (wish.client.client_id, wish.key, wish.body_sha256, wish.act.value, wish.changed_by, wish.reason)
        visits = (list(order.starts), list(order.starts.values()))
        try:
            await self._connection.execute(_KEEP, *named, *visits, order.asked_at)
        except asyncpg.UniqueViolationError:
            raise Unavailable("KEY_RACE", "an order's id was taken by another request meanwhile") from None


async def chosen_by(pool: Pool, client: Client, wanted: Wanted, most: int) -> dict[UUID, datetime | None]:
    """Return the visits of a day or the like that the client sees, soonest first, so many at most, and their starts."""
    statement, values = page_statement(client, await sources_of(pool, client, wanted.source), wanted, None, most)
    rows = await pool.fetch(statement, *values) if statement else []
    return {row["appointment_id"]: row["starts_at"] for row in rows}


async def starts_of(pool: Pool, ids: Sequence[UUID]) -> dict[UUID, datetime | None]:
    """Return these visits in this order, each once, and when they begin; None: it has no time, or nobody knows it."""
    found = {row["appointment_id"]: row["starts_at"] for row in await pool.fetch(_STARTS, ids)}
    return {key: found.get(key) for key in ids}


async def visits_of(connection: Connection, client: Client, ids: Collection[UUID]) -> Mapping[UUID, Visit]:
    """Return those of these visits that the client sees."""
    found = await connection.fetch(_VISITS, list(ids))
    rows = [row for row in found if client.sees_visit(row["source"], row["clinic_id"])]
    barred = await PostgresStore(connection).barred({row["patient_id"] for row in rows})
    return {
        row["appointment_id"]: Visit(
            row["appointment_id"],
            row["source"],
            row["source_id"],
            Status(row["status"]),
            row["starts_at"],
            row["zone"],
            row["provider_id"],
            row["patient_id"],
            barred.get(row["patient_id"]),
        )
        for row in rows
    }


async def whom(connection: Connection, visit: Visit, patient: str | None) -> UUID | None:
    """Return who is checked in, who is kept: whom this name, the source's or our id, means, else whose visit it is.

    A name that nobody has is an id that nobody has.
    """
    ours = visit.patient_id if patient is None else NOBODY_NAMED
    with suppress(ValueError):
        ours = ours if patient is None else UUID(patient)
    found: UUID | None = await connection.fetchval(_WHOM, visit.source, patient, ours)
    return found


async def changes_of(pool: Pool, client: Client, before: int | None, limit: int) -> list[dict[str, Any]]:
    """Return the orders of this client, newest first; the operator sees everybody's."""
    whose = None if client is OPERATOR else client.client_id
    return [dict(row) for row in await pool.fetch(_CHANGES, whose, before, limit)]
