"""The read API: what became of every reminder, its history, and what is ahead (R11, R17, B9)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.api.app import refuses
from chassis.postgres.database import Pool
from reminders.projector.forecast import Asked, Forecast, forecast
from reminders.projector.pages import Filters, History, ReminderPage, find, history_of


def routes(pool: Pool, operator: Any) -> APIRouter:
    """Return the read API's routes."""
    router = APIRouter(prefix="/v1", tags=["reminders"], dependencies=[Depends(operator)])

    @router.get(
        "/reminders",
        summary="Reminders of an appointment, a patient or a clinic, soonest first",
        responses=refuses({422: ("NO_FILTER", "BAD_RANGE", "BAD_CURSOR")}),
    )
    async def get_reminders(filters: Annotated[Filters, Query()]) -> ReminderPage:
        """At least one of appointment, patient and clinic; with `status` and a range of `scheduled_for`, by page."""
        return await find(pool, filters)

    @router.get("/reminders/{reminder_id}/history", summary="Every status a reminder had, oldest first")
    async def get_reminder_history(reminder_id: UUID) -> History:
        return await history_of(pool, reminder_id)

    @router.get(
        "/forecast",
        summary="How many reminders are due, by minute, hour or day",
        responses=refuses({422: ("BAD_RANGE", "RANGE_TOO_LONG", "UNKNOWN_ZONE")}),
    )
    async def get_forecast(asked: Annotated[Asked, Query()]) -> Forecast:
        """Of one clinic or all; what is cancelled, moved or handed over is not in it any more."""
        return await forecast(pool, asked)

    return router
