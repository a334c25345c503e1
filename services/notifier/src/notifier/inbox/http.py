"""The in-app inbox of a provider: paged, and as a stream that can be taken up where it broke off (R20).

Notices are numbered per provider under a lock and become visible in the order of their numbers. So
whoever has seen number n has seen all up to n, and resumes with `Last-Event-ID: n`.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from chassis.api.app import Problem
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.inbox import statements
from notifier.inbox.access import InboxAccess, digest, token_routes
from notifier.inbox.streams import Streams
from schemas.notifications import Kind
from schemas.zones import zone_of

PAGE = 100
LONGEST_PAGE = 1000
HIGHEST = 2**63 - 1
TRY_AGAIN_S = 0.5
"""After a look at notices that the database could not answer."""
KEEP_ALIVE_S = 15


class DayVisit(BaseModel):
    """One line of a list of the day."""

    appointment_id: UUID
    time: str | None
    patient_name: str | None
    service_type: str | None
    link: str | None


class NoticeView(BaseModel):
    """One notice. `starts_at` is the clinic's local time with its offset; of a list of the day, its first visit's."""

    number: int
    notification_id: UUID
    kind: Kind
    appointment_id: UUID | None
    title: str
    body: str
    patient_name: str | None
    date: str
    time: str
    starts_at: datetime
    zone: str
    service_type: str | None
    link: str | None
    visits: list[DayVisit] | None
    created_at: datetime
    read_at: datetime | None


class InboxPage(BaseModel):
    """Notices in the order of their numbers; `next_after` is the `after` of the next page, null on the last."""

    items: list[NoticeView]
    next_after: int | None = None


class ReadMark(BaseModel):
    """When a notice was first read; null once it is marked as unread again."""

    number: int
    read_at: datetime | None


class Unread(BaseModel):
    """How many notices were not read yet."""

    unread: int


class ReadMarks(BaseModel):
    """How many notices were marked as read just now, and how many are still unread."""

    marked: int
    unread: int


def routes(pool: Pool, clock: Clock, streams: Streams, stop: asyncio.Event, access: InboxAccess) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/inbox", tags=["inbox"])
    _add_reading(router, pool, access, streams, stop)
    _add_marks(router, pool, clock, access)
    whole = APIRouter()
    whole.include_router(token_routes(pool, clock, access.operator))
    whole.include_router(router)
    return whole


def _add_reading(router: APIRouter, pool: Pool, access: InboxAccess, streams: Streams, stop: asyncio.Event) -> None:
    @router.get("/{provider_id}", summary="A provider's notices", dependencies=[Depends(access.admit)])
    async def page(
        provider_id: UUID,
        after: Annotated[int, Query(ge=0, le=HIGHEST, description="Last number seen.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
        unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    ) -> InboxPage:
        items = await notices(pool, provider_id, after, limit, unread=unread)
        return InboxPage(items=items, next_after=items[-1].number if len(items) == limit else None)

    @router.get("/{provider_id}/unread", summary="How many are unread", dependencies=[Depends(access.admit)])
    async def unread(provider_id: UUID) -> Unread:
        return Unread(unread=await _unread(pool, provider_id))

    @router.get(
        "/{provider_id}/stream",
        summary="The notices as server-sent events, old ones first",
        description="Each event's id is the notice's number. Resume with `Last-Event-ID`, or `after`.",
        response_class=EventSourceResponse,
    )
    async def stream(
        provider_id: UUID,
        token: Annotated[str | None, Depends(access.admit)],
        after: Annotated[int, Query(ge=0, le=HIGHEST)] = 0,
        last_event_id: Annotated[int | None, Header(ge=0, le=HIGHEST)] = None,
    ) -> EventSourceResponse:
        streams.admit()
        seen = after if last_event_id is None else last_event_id
        digested = None if token is None else digest(token)
        return EventSourceResponse(
            events(pool, provider_id, seen, streams, digested, stop), ping=KEEP_ALIVE_S, sep="\n"
        )


def _add_marks(router: APIRouter, pool: Pool, clock: Clock, access: InboxAccess) -> None:
    admit = [Depends(access.admit)]

    @router.put("/{provider_id}/read", summary="Mark all as read, or those up to a number", dependencies=admit)
    async def mark_all_read(
        provider_id: UUID,
        up_to: Annotated[int, Query(ge=0, le=HIGHEST, description="Last number seen.")] = HIGHEST,
    ) -> ReadMarks:
        marked = await pool.fetch(statements.MARK_ALL_READ, provider_id, up_to, clock.now())
        return ReadMarks(marked=len(marked), unread=await _unread(pool, provider_id))

    @router.put(
        "/{provider_id}/{number}/read", summary="Mark a notice as read; again changes nothing", dependencies=admit
    )
    async def mark_read(provider_id: UUID, number: int) -> ReadMark:
        read_at = await pool.fetchval(statements.MARK_READ, provider_id, _within(number), clock.now())
        if read_at is None:
            raise _none_such()
        return ReadMark(number=number, read_at=read_at)

    @router.delete("/{provider_id}/{number}/read", summary="Mark a notice as unread again", dependencies=admit)
    async def mark_unread(provider_id: UUID, number: int) -> ReadMark:
        found = await pool.fetchval(statements.MARK_UNREAD, provider_id, _within(number))
        if found is None:
            raise _none_such()
        return ReadMark(number=number, read_at=None)


async def notices(pool: Pool, provider_id: UUID, after: int, limit: int, *, unread: bool = False) -> list[NoticeView]:
    """Return up to `limit` notices above number `after`, in order."""
    rows = await pool.fetch(statements.INBOX, provider_id, after, limit, unread)
    return [_view(row) for row in rows]


async def events(
    pool: Pool,
    provider_id: UUID,
    after: int,
    streams: Streams,
    token: bytes | None,
    stop: asyncio.Event,
) -> AsyncIterator[ServerSentEvent]:
    """Give every notice above `after` once, as it comes, until `stop` or until the reader's token is revoked.

    A database that is away is waited for.
    """
    if streams.full:  # others came in since the answer began
        return
    with streams.open(provider_id, token) as stream:
        while not (stop.is_set() or stream.ended):
            try:
                found = await notices(pool, provider_id, after, PAGE)
            except Unavailable:
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            for notice in found:
                after = notice.number
                yield ServerSentEvent(id=str(notice.number), event="notice", data=notice.model_dump_json())
            if len(found) < PAGE:
                await stream.wait(stop)


async def _unread(pool: Pool, provider_id: UUID) -> int:
    return int(await pool.fetchval(statements.UNREAD, provider_id))


def _within(number: int) -> int:
    """Return a number that the database can hold; any other is nobody's."""
    return number if 0 < number <= HIGHEST else 0


def _none_such() -> Problem:
    return Problem(404, "NO_SUCH_NOTICE", "This provider has no notice of that number.")


def _view(row: asyncpg.Record) -> NoticeView:
    local = row["starts_at"].astimezone(zone_of(row["zone"]))
    values = {**dict(row), "starts_at": local, "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
    return NoticeView.model_validate(values)
