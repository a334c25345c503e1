"""The read API: what became of every reminder, and its history (R11, R17)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from chassis.database import unavailable
from chassis.errors import AttendError
from reminders.adapters import sql
from schemas.reminders import Reason, ReminderStatus

PAGE = 100
LONGEST_PAGE = 1000


class ReminderView(BaseModel):
    """A reminder as it is now. Null where only a part of its story has come yet."""

    reminder_id: UUID
    appointment_id: UUID
    schedule_gen: int
    rule: str | None
    patient_id: UUID | None
    clinic_id: str | None
    status: ReminderStatus
    reason: Reason | None
    scheduled_for: datetime | None
    not_after: datetime | None
    handed_over_at: datetime | None
    sent_at: datetime | None
    notification_id: UUID | None
    delivery_state: str | None
    changed_at: datetime
    caused_by: str


class ReminderPage(BaseModel):
    """One page, soonest first; `next_after` is the `after` of the next, null on the last."""

    items: list[ReminderView]
    next_after: UUID | None = None


class Entry(BaseModel):
    """What a reminder was from an instant on, and what led to it."""

    status: ReminderStatus
    reason: Reason | None
    handed_over_at: datetime | None
    notification_id: UUID | None
    delivery_state: str | None
    at: datetime
    caused_by: str


class History(BaseModel):
    """Everything a reminder ever was, oldest first."""

    items: list[Entry]


class Filters(BaseModel):
    """What to look for; at least one of appointment and patient."""

    appointment: UUID | None = None
    patient: UUID | None = None
    status: ReminderStatus | None = None
    after: UUID | None = None
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE


class NoFilter(AttendError):
    """A list of everybody's reminders was asked for."""

    def __init__(self) -> None:
        super().__init__("NO_FILTER", "give at least one of appointment, patient")


def routes(pool: asyncpg.Pool, operator: Any) -> APIRouter:
    """Return the read API's routes.

    Args:
        pool: Connections to the schema `reminders`.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1", tags=["reminders"], dependencies=[Depends(operator)])

    @router.get("/reminders", summary="Reminders of an appointment or a patient, soonest first")
    async def reminders(filters: Annotated[Filters, Query()]) -> ReminderPage:
        return await find(pool, filters)

    @router.get("/reminders/{reminder_id}/history", summary="Every status a reminder had, oldest first")
    async def history(reminder_id: UUID) -> History:
        with unavailable():
            rows = await pool.fetch(sql.HISTORY, reminder_id)
        return History(items=[Entry.model_validate(dict(row)) for row in rows])

    return router


async def find(pool: asyncpg.Pool, filters: Filters) -> ReminderPage:
    """Return one page of reminders.

    Raises:
        NoFilter: Neither an appointment nor a patient was asked for.
        Unavailable: The database cannot answer now.
    """
    if filters.appointment is None and filters.patient is None:
        raise NoFilter
    with unavailable():
        rows = await pool.fetch(
            sql.FIND, filters.appointment, filters.patient, filters.status, filters.after, filters.limit
        )
    items = [ReminderView.model_validate(dict(row)) for row in rows]
    return ReminderPage(items=items, next_after=items[-1].reminder_id if len(items) == filters.limit else None)
