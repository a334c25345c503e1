"""The in-app inbox of a provider: paged, and as a stream that can be taken up where it broke off (R20).

Notices are numbered per provider under a lock and become visible in the order of their numbers. So
whoever has seen number n has seen all up to n, and resumes with `Last-Event-ID: n`.
"""

import asyncio
from collections.abc import AsyncIterator
from operator import attrgetter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from sse_starlette import EventSourceResponse, ServerSentEvent

from chassis.api.app import Problem, answers, refuses
from chassis.api.page_cursor import next_place
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.inbox.access import InboxAccess, digest, token_routes
from notifier.inbox.bodies import InboxPage, ReadMark, ReadMarks, Unread
from notifier.inbox.store import PostgresInbox
from notifier.inbox.streams import Streams

PAGE = 100
LONGEST_PAGE = 1000
HIGHEST = 2**63 - 1
TRY_AGAIN_S = 0.5
"""After a look at notices that the database could not answer."""
KEEP_ALIVE_S = 15


def routes(inbox: PostgresInbox, clock: Clock, streams: Streams, stop: asyncio.Event, access: InboxAccess) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/inbox", tags=["inbox"], responses=refuses({403: ("NOT_YOURS",)}))
    _add_reading(router, inbox, access, streams, stop)
    _add_marks(router, inbox, clock, access)
    whole = APIRouter()
    whole.include_router(token_routes(inbox, clock, access.operator))
    whole.include_router(router)
    return whole


def _add_reading(
    router: APIRouter, inbox: PostgresInbox, access: InboxAccess, streams: Streams, stop: asyncio.Event
) -> None:
    @router.get("/{provider_id}", summary="A provider's notices", dependencies=[Depends(access.admit)])
    async def get_inbox(
        provider_id: UUID,
        after: Annotated[int, Query(ge=0, le=HIGHEST, description="Last number seen.")] = 0,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
        unread: Annotated[bool, Query(description="Only those not read yet.")] = False,
    ) -> InboxPage:
        items = await inbox.notices(provider_id, after, limit, unread=unread)
        return InboxPage(items=items, next_after=next_place(items, limit, attrgetter("number")))

    @router.get("/{provider_id}/unread", summary="How many are unread", dependencies=[Depends(access.admit)])
    async def get_unread(provider_id: UUID) -> Unread:
        return Unread(unread=await inbox.unread(provider_id))

    @router.get(
        "/{provider_id}/stream",
        summary="The notices as server-sent events, old ones first",
        description="Each event's id is the notice's number. Resume with `Last-Event-ID`, or `after`.",
        response_class=EventSourceResponse,
        responses={
            **answers({"type": "string", "description": "`notice` events of an inbox's items."}, "text/event-stream"),
            **refuses({503: ("TOO_MANY_STREAMS",)}),
        },
    )
    async def stream_inbox(
        provider_id: UUID,
        token: Annotated[str | None, Depends(access.admit)],
        after: Annotated[int, Query(ge=0, le=HIGHEST)] = 0,
        last_event_id: Annotated[int | None, Header(ge=0, le=HIGHEST)] = None,
    ) -> EventSourceResponse:
        streams.admit()
        seen = after if last_event_id is None else last_event_id
        digested = None if token is None else digest(token)
        return EventSourceResponse(
            events(inbox, provider_id, seen, streams, digested, stop), ping=KEEP_ALIVE_S, sep="\n"
        )


def _add_marks(router: APIRouter, inbox: PostgresInbox, clock: Clock, access: InboxAccess) -> None:
    admit = [Depends(access.admit)]

    @router.put("/{provider_id}/read", summary="Mark all as read, or those up to a number", dependencies=admit)
    async def mark_all_read(
        provider_id: UUID,
        up_to: Annotated[int, Query(ge=0, le=HIGHEST, description="Last number seen.")] = HIGHEST,
    ) -> ReadMarks:
        marked = await inbox.mark_all_read(provider_id, up_to, clock.now())
        return ReadMarks(marked=marked, unread=await inbox.unread(provider_id))

    none_such = refuses({404: ("NO_SUCH_NOTICE",)})

    @router.put(
        "/{provider_id}/{number}/read",
        summary="Mark a notice as read; again changes nothing",
        dependencies=admit,
        responses=none_such,
    )
    async def mark_read(provider_id: UUID, number: int) -> ReadMark:
        read_at = await inbox.mark_read(provider_id, _within(number), clock.now())
        if read_at is None:
            raise _none_such()
        return ReadMark(number=number, read_at=read_at)

    @router.delete(
        "/{provider_id}/{number}/read",
        summary="Mark a notice as unread again",
        dependencies=admit,
        responses=none_such,
    )
    async def mark_unread(provider_id: UUID, number: int) -> ReadMark:
        if not await inbox.mark_unread(provider_id, _within(number)):
            raise _none_such()
        return ReadMark(number=number, read_at=None)


async def events(
    inbox: PostgresInbox,
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
                found = await inbox.notices(provider_id, after, PAGE)
            except Unavailable:
                await asyncio.sleep(TRY_AGAIN_S)
                continue
            for notice in found:
                after = notice.number
                yield ServerSentEvent(id=str(notice.number), event="notice", data=notice.model_dump_json())
            if len(found) < PAGE:
                await stream.wait(stop)


def _within(number: int) -> int:
    """Return a number that the database can hold; any other is nobody's."""
    return number if 0 < number <= HIGHEST else 0


def _none_such() -> Problem:
    return Problem(404, "NO_SUCH_NOTICE", "This provider has no notice of that number.")
