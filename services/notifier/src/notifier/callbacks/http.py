"""`/v1/unreadable-callbacks`: what carriers sent and nobody could read, listed, shown and read again on demand.

It may hold whatever patients and carriers wrote, so it is in no log and behind the operator's key alone.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from chassis.api.app import Problem
from chassis.api.query_fields import By
from chassis.postgres.database import Pool
from notifier.callbacks.handle.replay import NotReplayable, Replayed, StillUnreadable
from notifier.callbacks.statements import CONTENT, LIST
from notifier.receipts.domain import Carrier

log: structlog.stdlib.BoundLogger = structlog.get_logger()

PAGE, LONGEST_PAGE = 100, 500
HIGHEST = 2**63 - 1


class UnreadableView(BaseModel):
    """One that could not be read. `size`: its bytes, of which the first 64 KiB are kept.

    `replayed_at`, `replayed_by`: when it was read again and done, and who had that done.
    """

    unreadable_id: int
    carrier: Carrier
    reason: str
    size: int
    received_at: datetime
    replayed_at: datetime | None = None
    replayed_by: str | None = None


class ReplayBody(BaseModel):
    """Who does it, for the audit."""

    model_config = ConfigDict(extra="forbid")
    by: By = "operator"


class ReplayView(BaseModel):
    """What was done. `repeat`: it had been done before, and nothing was done now."""

    unreadable_id: int
    replayed_at: datetime
    replayed_by: str
    repeat: bool


class UnreadablePage(BaseModel):
    """Newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[UnreadableView]
    next_before: int | None = None


type Replay = Callable[[int, str], Awaitable[Replayed | None]]
"""Replays one for a person; see `callbacks.handle.replay.replay`."""


def routes(pool: Pool, replay: Replay, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/unreadable-callbacks", tags=["callbacks"], dependencies=[Depends(operator)])

    @router.get("", summary="What carriers sent and nobody could read, newest first")
    async def unreadable(
        carrier: Carrier | None = None,
        before: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
    ) -> UnreadablePage:
        rows = await pool.fetch(LIST, carrier, before, limit)
        items = [UnreadableView.model_validate(dict(row)) for row in rows]
        return UnreadablePage(items=items, next_before=items[-1].unreadable_id if len(items) == limit else None)

    @router.get("/{unreadable_id}", summary="Its bytes, as they came", response_class=Response)
    async def content(unreadable_id: Annotated[int, Path(ge=1, le=HIGHEST)]) -> Response:
        found: bytes | None = await pool.fetchval(CONTENT, unreadable_id)
        if found is None:
            raise _unknown()
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(found, media_type="application/octet-stream", headers=headers)

    @router.post("/{unreadable_id}/replay", summary="Read it again by this version, and do what it says")
    async def replay_one(unreadable_id: Annotated[int, Path(ge=1, le=HIGHEST)], body: ReplayBody) -> ReplayView:
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
