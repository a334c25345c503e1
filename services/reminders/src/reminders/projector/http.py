"""The read API: what became of every reminder, its history, and what is ahead (R11, R17, B9)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.api.app import refuses
from chassis.api.client_access import AWAY, NAMING, Asker, ClientAccess
from chassis.postgres.database import Pool
from reminders.projector.forecast import Asked, Forecast, forecast
from reminders.projector.pages import Filters, History, ReminderPage, find, find_own, history_of, visit_of

OPEN_TO_CLIENTS = (("GET", "/v1/reminders"), ("GET", "/v1/reminders/{reminder_id}/history"))
"""What an API client may ask here, of its own sources and clinics (decision 0048)."""


def routes(pool: Pool, access: ClientAccess, operator: Any) -> APIRouter:
    """Return the read API's routes."""
    router = APIRouter(prefix="/v1", tags=["reminders"])

    @router.get(
        "/reminders",
        summary="Reminders of an appointment, a patient or a clinic, soonest first",
        responses=refuses({422: ("NO_FILTER", "BAD_RANGE", "BAD_CURSOR", *NAMING), 503: AWAY}),
    )
    async def get_reminders(
        filters: Annotated[Filters, Query()], asker: Annotated[Asker, Depends(access)]
    ) -> ReminderPage:
        """At least one of appointment, patient and clinic; with `status` and a range of `scheduled_for`, by page.

        A client sees those of its own visits, as if there were no others.
        """
        visit = await asker.visit(filters.appointment, filters.source, filters.id)
        if visit is None and not asker.is_operator:
            return await find_own(pool, filters, asker)
        return await find(pool, filters.model_copy(update={"appointment": visit}))

    @router.get(
        "/reminders/{reminder_id}/history",
        summary="Every status a reminder had, oldest first",
        responses=refuses({503: AWAY}),
    )
    async def get_reminder_history(reminder_id: UUID, asker: Annotated[Asker, Depends(access)]) -> History:
        """Empty for a reminder that is not known, or of a visit that the caller does not see."""
        visit = None if asker.is_operator else await visit_of(pool, reminder_id)
        if asker.is_operator or (visit is not None and await asker.sees(visit)):
            return await history_of(pool, reminder_id)
        return History(items=[])

    @router.get(
        "/forecast",
        summary="How many reminders are due, by minute, hour or day",
        responses=refuses({422: ("BAD_RANGE", "RANGE_TOO_LONG", "UNKNOWN_ZONE")}),
        dependencies=[Depends(operator)],
    )
    async def get_forecast(asked: Annotated[Asked, Query()]) -> Forecast:
        """Of one clinic or all; what is cancelled, moved or handed over is not in it any more."""
        return await forecast(pool, asked)

    return router
