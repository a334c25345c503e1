"""What booking shows: appointments with their history, those ahead, and results of inbound events."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query

from booking.appointments import listing
from booking.appointments.reads import beginning, by_source, one, result_of
from booking.door.auth import Caller
from booking.door.bodies import problem
from booking.door.domain import Client
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.times import instant

LONGEST_PAGE = 1_000
_PREFIX = "^[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{1,4}){0,6}$"

_EVER = datetime(1900, 1, 1, tzinfo=UTC)


def routes(pool: asyncpg.Pool, caller: Caller) -> APIRouter:
    """Return the read API. A client sees its own sources and clinics; of others it cannot tell whether they exist."""
    router = APIRouter(prefix="/v1", tags=["reading"])

    @router.get("/appointments", summary="Appointments ahead, by page; or the one a source calls so")
    async def appointments(
        client: Annotated[Client, Depends(caller)],
        source: str | None = None,
        id: str | None = None,  # the API's word
        prefix: Annotated[str | None, Query(pattern=_PREFIX, description="The beginning of an id.")] = None,
        start_from: Annotated[str | None, Query(alias="from", description="ISO 8601 with offset")] = None,
        after: Annotated[str | None, Query(max_length=200, description="`next_after` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = LONGEST_PAGE,
    ) -> dict[str, Any]:
        """With `id`: the appointment that the source calls so. With `prefix`: up to 5 whose ids begin so.

        Else those that start at or after `from`, soonest first.
        """
        if prefix is not None:
            return await beginning(pool, client, prefix)
        try:
            if id is not None:
                named = (texts.identifier(client.source(source), "source"), texts.identifier(id, "id"))
                return await by_source(pool, *named, client)
            start = _EVER if start_from is None else instant(start_from, None, "from")
        except Refused as refusal:
            raise problem(refusal) from None
        return await listing.page(pool, client, start, after, limit)

    @router.get("/appointments/{appointment_id}", summary="An appointment and every version of it")
    async def appointment(appointment_id: UUID, client: Annotated[Client, Depends(caller)]) -> dict[str, Any]:
        """The appointment as it is, and its history, each version as it was published."""
        return await one(pool, appointment_id, client)

    @router.get("/inbound/{event_id:path}", summary="What became of an event")
    async def inbound(event_id: str, client: Annotated[Client, Depends(caller)]) -> dict[str, Any]:
        """The result of an event taken over HTTP or from `bookings-inbound`, by its id."""
        try:
            return await result_of(pool, texts.identifier(event_id, "event_id"), client)
        except Refused as refusal:
            raise problem(refusal) from None

    return router
