"""`GET /v1/appointments/{id}/timeline`: everything decided about an appointment, and why (B1)."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from chassis.api.app import Problem
from chassis.postgres.database import Pool
from notifier.timeline.domain.entries import ReminderFact, SubFileFact
from notifier.timeline.handle import Booked, OwnFacts, Timeline, UnknownAppointment, tell
from notifier.timeline.services import OtherParts
from notifier.timeline.store import read_own


class EntryView(BaseModel):
    """One thing that happened. `what` is a stable word, `text` a sentence for people."""

    at: datetime
    source: str
    what: str
    text: str
    reason: str | None
    caused_by: str | None
    ids: dict[str, str]


class MissingView(BaseModel):
    """A part that did not answer: NOT_CONFIGURED, TIMEOUT, NO_ANSWER, KEY_REFUSED, HTTP_<status>, UNREADABLE."""

    service: str
    code: str


class AnswerView(BaseModel):
    """What the patient got, may have got, will get and will not get; `text` says it all in one line."""

    got: list[str]
    may_have_got: list[str]
    to_come: list[str]
    did_not_get: list[str]
    text: str


class TimelineView(BaseModel):
    """The timeline in the order of time. `missing` is empty when every part answered."""

    appointment_id: UUID
    source: str | None
    source_id: str | None
    status: str | None
    zone: str
    answer: AnswerView
    missing: list[MissingView]
    entries: list[EntryView]


class AllParts:
    """See `timeline.handle.Parts`: the other services by their APIs, the ledger by its tables."""

    def __init__(self, others: OtherParts, pool: Pool) -> None:
        self._others, self._pool = others, pool

    async def booked(self, appointment_id: UUID) -> Booked:
        """See `timeline.handle.Parts`."""
        return await self._others.booked(appointment_id)

    async def sub_files(self, appointment_id: UUID) -> Sequence[SubFileFact]:
        """See `timeline.handle.Parts`."""
        return await self._others.sub_files(appointment_id)

    async def reminders(self, appointment_id: UUID) -> Sequence[ReminderFact]:
        """See `timeline.handle.Parts`."""
        return await self._others.reminders(appointment_id)

    async def own(self, appointment_id: UUID) -> OwnFacts:
        """See `timeline.handle.Parts`."""
        return await read_own(self._pool, appointment_id)


def routes(parts: AllParts, operator: Any) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1", tags=["why"], dependencies=[Depends(operator)])

    @router.get("/appointments/{appointment_id}/timeline", summary="Everything decided about a visit, and why")
    async def timeline(appointment_id: UUID) -> TimelineView:
        """Ask every part at once; those that do not answer are in `missing`, and the rest is told."""
        try:
            return view(await tell(parts, appointment_id))
        except UnknownAppointment as error:
            raise Problem(404, error.code, "No part knows an appointment of this id.") from None

    return router


def view(told: Timeline) -> TimelineView:
    """Return the timeline as the API gives it."""
    return TimelineView.model_validate({**asdict(told), "entries": [asdict(entry) for entry in told.entries]})
