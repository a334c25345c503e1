"""`GET /v1/appointments/{id}/timeline`: everything decided about an appointment, and why (B1)."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from chassis.api.app import Problem, refuses
from chassis.api.client_access import AWAY, NAMING, NO_VISIT, Asker, ClientAccess
from notifier.timeline.domain.answer import WhatPatientGot
from notifier.timeline.domain.check_ins import LetIn
from notifier.timeline.domain.entries import Lacking
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
    lacking: list[Lacking] = Field(description="What the visit lacks of what its clinic requires for a check-in.")
    let_in: LetIn | None = Field(description="How the patient came in who is in, and what lacked then.")
    entries: list[EntryView]


OPEN_TO_CLIENTS = (("GET", "/v1/appointments/{appointment_id}/timeline"), ("GET", "/v1/appointments/timeline"))
"""What an API client may ask here, of its own sources and clinics (decision 0048)."""


def routes(parts: Parts, access: ClientAccess) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["why"])

    async def told(visit: UUID | None) -> TimelineView:
        if visit is None or visit == NO_VISIT:
            raise _unknown()
        try:
            return view(await tell(parts, visit))
        except UnknownAppointment:
            raise _unknown() from None

    @router.get(
        "/appointments/timeline",
        summary="Everything decided about the visit that a source calls so, and why",
        responses=refuses({404: ("UNKNOWN_APPOINTMENT",), 422: NAMING, 503: AWAY}),
    )
    async def get_timeline_by_name(
        asker: Annotated[Asker, Depends(access)],
        id: Annotated[str, Query(max_length=200, description="What the source calls the appointment.")],  # its word
        source: Annotated[str | None, Query(max_length=200, description="Left out: the client's only source.")] = None,
    ) -> TimelineView:
        """As by our id."""
        return await told(await asker.visit(None, source, id))

    @router.get(
        "/appointments/{appointment_id}/timeline",
        summary="Everything decided about a visit, and why",
        responses=refuses({404: ("UNKNOWN_APPOINTMENT",), 503: AWAY}),
    )
    async def get_timeline(appointment_id: UUID, asker: Annotated[Asker, Depends(access)]) -> TimelineView:
        """Ask every part at once; those that do not answer are in `missing`, and the rest is told."""
        return await told(await asker.visit(appointment_id, None, None))

    return router


def _unknown() -> Problem:
    return Problem(404, "UNKNOWN_APPOINTMENT", "No part knows an appointment of this id.")


def view(told: Timeline) -> TimelineView:
    """Return the timeline as the API gives it."""
    return TimelineView.model_validate({**asdict(told), "entries": [asdict(entry) for entry in told.entries]})
