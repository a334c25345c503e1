"""`/v1/work-list`: what waits for a person, and what he may do with it (B12, B11)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter, ValidationError

from chassis.asked import By
from chassis.clock import Clock
from chassis.cursor import Cursor
from chassis.database import unavailable
from chassis.http import Problem
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.plain_english import reason_words
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.odd_rows import readable
from notifier.staff.work_list import statements as sql
from notifier.staff.work_list.domain import Act, acts
from notifier.staff.work_list.handle import Desk, Done, GateShut, NotListed, Wish, act
from schemas.model import ClinicId
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason

PAGE, LONGEST_PAGE = 100, 500
RECENT = timedelta(days=7)
"""How long after its visit a message still waits for somebody; G7's 72 hours are over by then."""


class StepView(BaseModel):
    """A channel that was passed over, and why."""

    channel: Channel
    reason: Reason


_STEPS = TypeAdapter(list[StepView])


class ItemView(BaseModel):
    """A message that waits for a person. `code` is the carrier's last word; `actions` what may be done.

    One that this version cannot read is listed too: without what it cannot read of it, and nothing may be done.
    """

    notification_id: UUID
    appointment_id: UUID
    patient_id: UUID | None
    patient_name: str | None
    clinic_id: str | None
    kind: Kind | None
    ordinal: int
    state: NotificationState
    reason: Reason | None
    reason_text: str
    channel: Channel | None
    code: str | None
    steps: list[StepView]
    attempts: int
    starts_at: datetime
    zone: str | None
    not_after: datetime | None
    changed_at: datetime
    actions: list[Act]


class ReplyItem(BaseModel):
    """A patient's answer that no machine may decide; `PUT /v1/replies/{reply_id}/done` takes it off."""

    reply_id: UUID
    channel: Channel
    text: str | None
    meaning: str
    why: str
    appointment_id: UUID | None
    clinic_id: str | None
    received_at: datetime


class WorkList(BaseModel):
    """Messages, soonest visit first; `next_after` is the `after` of the next page. Replies are on the first."""

    items: list[ItemView]
    replies: list[ReplyItem]
    next_after: str | None = None


class Filters(BaseModel):
    """Which of them. `state`: failed, unknown or skipped (no contact)."""

    clinic: ClinicId | None = None
    reason: Reason | None = None
    state: NotificationState | None = None
    ahead: bool = Field(False, description="Only of visits that have not begun.")
    after: str | None = Field(None, max_length=200)
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ByBody(_Body):
    """Who does it, for the log of acts."""

    by: By = "operator"


class SettleBody(ByBody):
    """What was found out: did the message arrive?"""

    arrived: StrictBool


class DoneView(BaseModel):
    """What was done. `state`: of the message now; of a resend, of the new one. `repeat`: it had been done before."""

    notification_id: UUID
    act: Act
    acted_by: str
    acted_at: datetime
    arrived: bool | None
    resent_as: UUID | None
    state: NotificationState
    repeat: bool


def routes(
    pool: asyncpg.Pool, desk: Desk, clock: Clock, sending: SendingMode, wake: Callable[[], None], operator: Any
) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        desk: Where acts are done.
        clock: Domain time.
        sending: The sending mode as the settings have it.
        wake: Called after an act, so that what it releases leaves at once.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1/work-list", tags=["work list"], dependencies=[Depends(operator)])

    async def done(notification_id: UUID, wish: Act, by: str, arrived: bool | None = None) -> DoneView:
        try:
            told = await act(desk, notification_id, Wish(wish, by, arrived), sending, clock.now())
        except GateShut as shut:
            errors = [{"place": "gate", "code": shut.reason.value}]
            raise Problem(409, shut.code, f"It would never leave: {reason_words(shut.reason)}.", errors) from None
        except NotListed as not_listed:
            raise Problem(409, not_listed.code, not_listed.message) from None
        wake()
        return _done(told)

    @router.get("", summary="Messages that wait for a person, soonest visit first; and patients' open replies")
    async def work_list(filters: Annotated[Filters, Query()]) -> WorkList:
        return await find(pool, filters, clock.now())

    @router.post("/{notification_id}/resend", summary="Send it again: a new message, gated as ever")
    async def resend(notification_id: UUID, body: ByBody) -> DoneView:
        return await done(notification_id, Act.RESEND, body.by)

    @router.post("/{notification_id}/drop", summary="Take it off the list; an unknown one has failed then")
    async def drop(notification_id: UUID, body: ByBody) -> DoneView:
        return await done(notification_id, Act.DROP, body.by)

    @router.post("/{notification_id}/settle", summary="Say whether a message of unknown outcome arrived")
    async def settle(notification_id: UUID, body: SettleBody) -> DoneView:
        return await done(notification_id, Act.SETTLE, body.by, body.arrived)

    return router


async def find(pool: asyncpg.Pool, filters: Filters, now: datetime) -> WorkList:
    """Return one page of the list.

    Raises:
        BadCursor: `after` is none of ours.
        Unavailable: The database cannot answer now.
    """
    place = Cursor.read(filters.after) if filters.after else None
    since = now if filters.ahead else now - RECENT
    with unavailable():
        rows = await pool.fetch(
            sql.LIST, since, filters.clinic, filters.reason, filters.state, place.at if place else None,
            place.id if place else None, filters.limit + 1,
        )  # fmt: skip
        shown = rows[: filters.limit]
        names = await pool.fetch(sql.NAMES, sorted({row["appointment_id"] for row in shown})) if shown else []
        replies = [] if place else await pool.fetch(sql.REPLIES, filters.clinic, PAGE)
    known = {row["appointment_id"]: row for row in names}
    items = list(readable(shown, lambda row: _item(row, known.get(row["appointment_id"]), now)))
    more = Cursor(shown[-1]["starts_at"], shown[-1]["notification_id"]).text() if len(rows) > filters.limit else None
    return WorkList(items=items, replies=[ReplyItem.model_validate(dict(reply)) for reply in replies], next_after=more)


def _item(row: asyncpg.Record, known: asyncpg.Record | None, now: datetime) -> ItemView:
    kind, steps = _kind(row["kind"]), _steps(row["steps"])
    is_read = kind is not None and steps is not None
    return ItemView.model_validate(
        {
            **dict(row),
            "kind": kind,
            "steps": steps or [],
            "patient_name": known["patient_name"] if known else None,
            "zone": known["zone"] if known else None,
            "reason_text": reason_words(row["reason"]),
            "actions": acts(NotificationState(row["state"]), row["starts_at"], now) if is_read else (),
        }
    )


def _kind(kept: str) -> Kind | None:
    """Return the kind, or None if this version does not know it."""
    return Kind(kept) if kept in set(Kind) else None


def _steps(kept: object) -> list[StepView] | None:
    """Return the channels passed over, or None if this version cannot read them."""
    try:
        return _STEPS.validate_python(kept)
    except ValidationError:
        return None


def _done(told: Done) -> DoneView:
    return DoneView(
        notification_id=told.notification_id,
        act=told.act,
        acted_by=told.acted_by,
        acted_at=told.acted_at,
        arrived=told.arrived,
        resent_as=told.resent_as,
        state=told.state,
        repeat=told.repeat,
    )
