"""The in-app inbox of a provider: paged, and as a stream that can be taken up where it broke off (R20).

Notices are numbered per provider under a lock and become visible in the order of their numbers. So
whoever has seen number n has seen all up to n, and resumes with `Last-Event-ID: n`.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from chassis.clock import Clock
from chassis.database import unavailable
from chassis.errors import Unavailable
from chassis.http import Problem
from notifier.adapters import sql
from notifier.adapters.bell import Bell

PAGE = 100
LONGEST_PAGE = 1000
POLL_S = 0.5
KEEP_ALIVE_S = 15


class NoticeView(BaseModel):
    """One notice. `starts_at` is the clinic's local time with its offset."""

    number: int
    notification_id: UUID
    appointment_id: UUID
    title: str
    body: str
    patient_name: str | None
    date: str
    time: str
    starts_at: datetime
    zone: str
    service_type: str | None
    link: str
    created_at: datetime
    read_at: datetime | None


class InboxPage(BaseModel):
    """Notices in the order of their numbers; `next_after` is the `after` of the next page, null on the last."""

    items: list[NoticeView]
    next_after: int | None = None


class ReadMark(BaseModel):
    """When a notice was first read."""

    number: int
    read_at: datetime


def routes(pool: asyncpg.Pool, clock: Clock, bell: Bell, stop: asyncio.Event, operator: Any) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        clock: Domain time.
        bell: Rung when there may be new notices.
        stop: Ends every stream.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1/inbox", tags=["inbox"], dependencies=[Depends(operator)])

    @router.get("/{provider_id}", summary="A provider's notices")
    async def page(
        provider_id: UUID,
        after: Annotated[int, Query(ge=0, description="Last number seen.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
        unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    ) -> InboxPage:
        items = await notices(pool, provider_id, after, limit, unread=unread)
        return InboxPage(items=items, next_after=items[-1].number if len(items) == limit else None)

    @router.get(
        "/{provider_id}/stream",
        summary="The notices as server-sent events, old ones first",
        description="Each event's id is the notice's number. Resume with `Last-Event-ID`, or `after`.",
        response_class=EventSourceResponse,
    )
    async def stream(
        provider_id: UUID,
        after: Annotated[int, Query(ge=0)] = 0,
        last_event_id: Annotated[int | None, Header(ge=0)] = None,
    ) -> EventSourceResponse:
        seen = after if last_event_id is None else last_event_id
        return EventSourceResponse(events(pool, provider_id, seen, bell, stop), ping=KEEP_ALIVE_S, sep="\n")

    @router.put("/{provider_id}/{number}/read", summary="Mark a notice as read; again changes nothing")
    async def mark_read(provider_id: UUID, number: int) -> ReadMark:
        with unavailable():
            read_at = await pool.fetchval(sql.MARK_READ, provider_id, number, clock.now())
        if read_at is None:
            raise Problem(404, "NO_SUCH_NOTICE", "This provider has no notice of that number.")
        return ReadMark(number=number, read_at=read_at)

    return router


async def notices(
    pool: asyncpg.Pool, provider_id: UUID, after: int, limit: int, *, unread: bool = False
) -> list[NoticeView]:
    """Return up to `limit` notices above number `after`, in order.

    Raises:
        Unavailable: The database cannot answer now.
    """
    with unavailable():
        rows = await pool.fetch(sql.INBOX, provider_id, after, limit, unread)
    return [_view(row) for row in rows]


async def events(
    pool: asyncpg.Pool, provider_id: UUID, after: int, bell: Bell, stop: asyncio.Event
) -> AsyncIterator[ServerSentEvent]:
    """Give every notice above `after` once, as it comes, until `stop`. A database that is away is waited for."""
    while not stop.is_set():
        try:
            found = await notices(pool, provider_id, after, PAGE)
        except Unavailable:
            found = []
        for notice in found:
            after = notice.number
            yield ServerSentEvent(id=str(notice.number), event="notice", data=notice.model_dump_json())
        if len(found) < PAGE:
            await bell.wait(POLL_S)


def _view(row: asyncpg.Record) -> NoticeView:
    local = row["starts_at"].astimezone(ZoneInfo(row["zone"]))
    values = {**dict(row), "starts_at": local, "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
    return NoticeView.model_validate(values)
