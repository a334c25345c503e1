"""`/v1/unreadable-callbacks`: what carriers sent and nobody could read, listed, shown and read again on demand.

It may hold whatever patients and carriers wrote, so it is in no log and behind the operator's key alone.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response

from chassis.api.app import Problem, refuses
from notifier.callbacks.bodies import ReplayBody, ReplayView, UnreadablePage
from notifier.callbacks.handle.replay import NotReplayable, Replayed, StillUnreadable
from notifier.callbacks.store import PostgresUnreadables
from notifier.receipts.domain import Carrier

log: structlog.stdlib.BoundLogger = structlog.get_logger()

PAGE, LONGEST_PAGE = 100, 500
HIGHEST = 2**63 - 1
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


type Replay = Callable[[int, str], Awaitable[Replayed | None]]
"""Replays one for a person; see `callbacks.handle.replay.replay`."""


def routes(kept: PostgresUnreadables, replay: Replay, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/unreadable-callbacks", tags=["callbacks"], dependencies=[Depends(operator)])

    @router.get("", summary="What carriers sent and nobody could read, newest first")
    async def get_unreadable_callbacks(
        carrier: Carrier | None = None,
        before: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
    ) -> UnreadablePage:
        return await kept.page(carrier, before, limit)

    @router.get(
        "/{unreadable_id}",
        summary="Its bytes, as they came",
        response_class=Response,
        responses={**_BYTES, **refuses({404: ("UNKNOWN_CALLBACK",)})},
    )
    async def get_unreadable_callback(unreadable_id: Annotated[int, Path(ge=1, le=HIGHEST)]) -> Response:
        found = await kept.content(unreadable_id)
        if found is None:
            raise _unknown()
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(found, media_type="application/octet-stream", headers=headers)

    @router.post(
        "/{unreadable_id}/replay",
        summary="Read it again by this version, and do what it says",
        responses=refuses({404: ("UNKNOWN_CALLBACK",), 409: ("NOT_REPLAYABLE", "STILL_UNREADABLE")}),
    )
    async def replay_callback(unreadable_id: Annotated[int, Path(ge=1, le=HIGHEST)], body: ReplayBody) -> ReplayView:
        try:
            done = await replay(unreadable_id, body.by)
        except NotReplayable as error:
            raise Problem(409, error.code, error.message) from None
        except StillUnreadable as error:
            errors = [{"place": reason, "code": "UNREADABLE"} for reason in error.reasons]
            raise Problem(409, error.code, "This version cannot read or do it either.", errors) from None
        if done is None:
            raise _unknown()
        log.info("callback.replayed", unreadable_id=unreadable_id, repeat=done.repeat)
        return ReplayView(unreadable_id=unreadable_id, replayed_at=done.at, replayed_by=done.by, repeat=done.repeat)

    return router


def _unknown() -> Problem:
    return Problem(404, "UNKNOWN_CALLBACK", "There is none of this number, or it was kept long enough.")
