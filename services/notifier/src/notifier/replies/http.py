"""Patients' answers as staff see them: those a machine must not decide, until somebody has seen to them (B11)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.api.app import Problem, refuses
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.replies.bodies import DoneBody, ReplyPage, ReplyView
from notifier.replies.store import done_by, page


def routes(pool: Pool, clock: Clock, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/replies", tags=["replies"], dependencies=[Depends(operator)])

    @router.get(
        "",
        summary="What patients answered; `open=true`: what staff must look at",
        responses=refuses({422: ("BAD_CURSOR",)}),
    )
    async def get_replies(
        open: Annotated[bool, Query()] = False,
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> ReplyPage:
        return await page(pool, after, limit, open=open)

    @router.put(
        "/{reply_id}/done",
        summary="Say that an answer was seen to; the first to say so counts",
        responses=refuses({404: ("UNKNOWN_REPLY",)}),
    )
    async def mark_reply_done(reply_id: UUID, body: DoneBody) -> ReplyView:
        reply = await done_by(pool, reply_id, body.by, clock.now())
        if reply is None:
            raise Problem(404, "UNKNOWN_REPLY", "There is no such answer.")
        return reply

    return router
