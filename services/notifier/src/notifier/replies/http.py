"""Patients' answers as staff see them: those a machine must not decide, until somebody has seen to them (B11)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from chassis.api.app import Problem
from chassis.api.page_cursor import Cursor
from chassis.api.query_fields import By
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.replies import statements as sql


class ReplyView(BaseModel):
    """One answer. Sender and text are gone once they have been kept long enough; `why` null: staff need not look."""

    reply_id: UUID
    channel: str
    sender: str | None
    sender_user_id: str | None = Field(description="Of WhatsApp, where a user name may hide the number.")
    text: str | None
    meaning: str
    verdict: str
    why: str | None
    appointment_id: UUID | None
    clinic_id: str | None
    received_at: datetime
    done_at: datetime | None
    done_by: str | None


class ReplyPage(BaseModel):
    """Answers, newest first; `next` continues."""

    items: list[ReplyView]
    next: str | None


class DoneBody(BaseModel):
    """Who has seen to it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"by": "front desk"}})

    by: By


def routes(pool: Pool, clock: Clock, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/replies", tags=["replies"], dependencies=[Depends(operator)])

    @router.get("", summary="What patients answered; `open=true`: what staff must look at")
    async def replies(
        open: Annotated[bool, Query()] = False,
        after: Annotated[str | None, Query(max_length=200)] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> ReplyPage:
        place = Cursor.read(after) if after else None
        rows = await pool.fetch(sql.REPLIES, open, place and place.at, place and place.id, limit)
        items = [ReplyView.model_validate(dict(row)) for row in rows]
        more = Cursor(items[-1].received_at, items[-1].reply_id).text() if len(items) == limit else None
        return ReplyPage(items=items, next=more)

    @router.put("/{reply_id}/done", summary="Say that an answer was seen to; the first to say so counts")
    async def done(reply_id: UUID, body: DoneBody) -> ReplyView:
        row = await pool.fetchrow(sql.DONE_REPLY, reply_id, clock.now(), body.by)
        if row is None:
            raise Problem(404, "UNKNOWN_REPLY", "There is no such answer.")
        return ReplyView.model_validate(dict(row))

    return router
