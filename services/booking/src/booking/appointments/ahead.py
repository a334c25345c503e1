"""The appointments ahead, for whoever keeps something of his own in step with them: light pages, and whole snapshots.

Pages go in the order of the ids, each over so many appointments at most as one statement may look at, so that
years of past visits cost a page no more than the next. An appointment that changes meanwhile keeps its place.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from booking.door.auth import Caller
from booking.door.domain import ALL, Client
from chassis.clock import Clock
from chassis.database import unavailable
from chassis.http import Problem
from schemas.topics import APPOINTMENTS

LONGEST_PAGE = 5_000
"""Appointments looked at for one page; those ahead among them are its items."""

MOST_IDS = 1_000
"""Ids in one question."""

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
_NOTHING = UUID(int=0)


class Ids(BaseModel):
    """The appointments asked for; repeats are answered once."""

    ids: list[UUID] = Field(min_length=1, max_length=MOST_IDS)


def routes(pool: asyncpg.Pool, clock: Clock, caller: Caller) -> APIRouter:
    """Return the routes. Only a key that sees all sources and clinics opens them: the operator's."""

    async def overseer(client: Annotated[Client, Depends(caller)]) -> None:
        if not (client.sees_source(ALL) and client.sees_clinic(ALL)):
            raise Problem(403, "OPERATOR_ONLY", "Only a key that sees all sources and clinics may ask this.")

    router = APIRouter(prefix="/v1/ahead", tags=["ahead"], dependencies=[Depends(overseer)])

    @router.get("", summary="Version, schedule and bar of every appointment ahead, by page")
    async def ahead(
        after: UUID = _NOTHING,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = LONGEST_PAGE,
        partition: Annotated[int | None, Query(ge=0, lt=APPOINTMENTS.partitions)] = None,
        of: Annotated[int, Query(ge=1)] = APPOINTMENTS.partitions,
    ) -> Response:
        """Items in the order of their ids, and `next_after`: null on the last page. A page may be empty before it.

        `barred` says why the newest version bars messages to its patient, null if it does not.

        With `partition` only those whose events are in that partition of the topic `appointments`, which has `of`.
        """
        if of != APPOINTMENTS.partitions:
            there = f"The topic {APPOINTMENTS.name} has {APPOINTMENTS.partitions} partitions, not {of}."
            raise Problem(422, "OTHER_PARTITIONS", there)
        return _json(await page(pool, clock.now(), after, limit, partition))

    @router.post("/states", summary="Version, schedule and bar of the appointments named")
    async def states(asked: Ids) -> Response:
        """As they are now, ahead or not; those that booking does not know, or never booked, are left out."""
        with unavailable():
            return _json({"items": [dict(row) for row in await pool.fetch(_STATES, asked.ids)]})

    @router.post("/snapshots", summary="The newest event of the appointments named")
    async def snapshots(asked: Ids) -> Response:
        """Each whole, as it was published on the topic `appointments`."""
        with unavailable():
            rows = await pool.fetch(_SNAPSHOTS, asked.ids)
        return _json({"items": [orjson.Fragment(row["snapshot"]) for row in rows]})

    return router


async def page(
    pool: asyncpg.Pool, now: datetime, after: UUID, limit: int, partition: int | None = None
) -> dict[str, Any]:
    """Return those ahead of `now` among the next `limit` appointments after `after`, of one partition or of all.

    Raises:
        Unavailable: The database cannot answer now.
    """
    share, own = (_EVERY, ()) if partition is None else (_OWN, (partition,))
    with unavailable():
        last = await pool.fetchval(_last(share), after, limit, *own)
        rows = await pool.fetch(_page(share), after, last, now, *own)
    return {"items": [dict(row) for row in rows], "next_after": last}


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body, default=_text, option=orjson.OPT_UTC_Z), media_type="application/json")


def _text(value: object) -> str:
    """Write asyncpg's UUIDs, which are a class of their own."""
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(type(value).__name__)
