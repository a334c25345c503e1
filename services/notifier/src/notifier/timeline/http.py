"""`GET /v1/appointments/{id}/timeline`: everything decided about an appointment, and why (B1)."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from chassis.api.app import Problem, refuses
from notifier.timeline.domain.answer import WhatPatientGot
from notifier.timeline.handle import Missing, Parts, Timeline, UnknownAppointment, tell


class EntryView(BaseModel):
    """One thing that happened. `what` is a stable word, `text` a sentence for people."""

    at: datetime
    source: str
    what: str
    text: str
    reason: str | None
    caused_by: str | None
    ids: dict[str, str]


class TimelineView(BaseModel):
    """The timeline in the order of time. `missing` is empty when every part answered."""

    appointment_id: UUID
    source: str | None
    source_id: str | None
    status: str | None
    zone: str
    answer: WhatPatientGot
    missing: list[Missing]
    entries: list[EntryView]


def routes(parts: Parts, operator: Any) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["why"], dependencies=[Depends(operator)])

    @router.get(
        "/appointments/{appointment_id}/timeline",
        summary="Everything decided about a visit, and why",
        responses=refuses({404: ("UNKNOWN_APPOINTMENT",)}),
    )
    async def get_timeline(appointment_id: UUID) -> TimelineView:
        """Ask every part at once; those that do not answer are in `missing`, and the rest is told."""
        try:
            return view(await tell(parts, appointment_id))
        except UnknownAppointment as error:
            raise Problem(404, error.code, "No part knows an appointment of this id.") from None

    return router


def view(told: Timeline) -> TimelineView:
    """Return the timeline as the API gives it."""
    return TimelineView.model_validate({**asdict(told), "entries": [asdict(entry) for entry in told.entries]})
