"""What a desk sends, and what it is answered."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from booking.desk.domain import NOWHERE, Act, Shift
from booking.door.bodies import Id, Text, WarningView
from booking.values.refusals import Refused
from booking.values.times import calendar_day
from schemas.appointments import Status

MOST_IDS = 1_000
"""Ids in one body."""

FARTHEST = 366 * 24 * 60
"""Minutes by which visits are moved at most."""


class WhichBody(BaseModel):
    """Which visits: `ids`, or those of a `clinic` on a `day`; and who asks, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event_id: Id | None = Field(
        default=None, max_length=150, description="Or the header Idempotency-Key. Without effect in a dry run."
    )
    ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_IDS)] | None = Field(
        default=None, description="Our ids of the visits. Or name clinic and day."
    )
    clinic: StrictStr | None = Field(default=None, description="A clinic's code.")
    day: StrictStr | None = Field(default=None, description="`YYYY-MM-DD`, by the clock at the clinic.")
    provider: StrictStr | None = Field(
        default=None, description="Of that day those of this provider, by our id or the source's."
    )
    source: StrictStr | None = Field(
        default=None,
        description="Of that day what came from this source alone; `provider` may be its id.",
    )
    status: list[Status] | None = Field(
        default=None, description="Of that day those in these statuses; left out: all that are not cancelled."
    )
    reason: Text | None = Field(default=None, description="Kept with each visit.")
    by: Text | None = Field(default=None, description="Who asks, kept with the order.")
    dry_run: StrictBool = Field(default=False, description="Say what would happen, and do nothing.")


class CancelBody(WhichBody):
    """Visits to be cancelled."""


class MoveBody(WhichBody):
    """Visits to be moved: by minutes, or to another day at the same time of day; both by the clock at the clinic."""

    by_minutes: Annotated[StrictInt, Field(ge=-FARTHEST, le=FARTHEST)] | None = Field(
        default=None, description="How far the hands of the clinic's clock are turned; back if below zero."
    )
    to_day: StrictStr | None = Field(default=None, description="`YYYY-MM-DD`: each keeps its time of day.")


class VisitResult(BaseModel):
    """What became of one visit, or would."""

    appointment_id: UUID
    status: int = Field(description="As the answer to a request for this visit alone.")
    source: str | None = None
    source_id: str | None = None
    patient_id: UUID | None = None
    starts_at: datetime | None = Field(default=None, description="Before.")
    starts_local: str | None = Field(default=None, description="The same by the clock at the clinic.")
    new_starts_at: datetime | None = Field(default=None, description="Of a visit that is moved.")
    new_starts_local: str | None = None
    result: str | None = Field(default=None, description="`applied`, or `repeat`: it was so, or is done already.")
    original_result: str | None = Field(default=None, description="Of a repeat of this order: what it was.")
    version: int | None = None
    reminders_cancelled: int | None = Field(default=None, description="How many reminders this takes back.")
    told: list[str] = Field(default=[], description="`patient`, `provider`: who is told, if a message can reach them.")
    code: str | None = Field(default=None, description="Why the visit is not changed.")
    detail: str | None = None
    place: str | None = None
    warnings: list[WarningView] = []


class Totals(BaseModel):
    """Counts over the results of this answer."""

    applied: int
    repeat: int
    refused: int
    reminders_cancelled: int
    patients_told: int = Field(description="Different patients.")
    providers_told: int = Field(description="Different providers.")


class DeskAnswer(BaseModel):
    """What became of an order, page by page."""

    event_id: str | None
    act: Act
    dry_run: bool
    by: str | None
    reason: str
    asked_at: datetime
    visits: int = Field(description="How many visits the order has.")
    results: list[VisitResult]
    totals: Totals
    next_after: int | None = Field(description="`after` of the next request, with the same body; null: all are done.")


class DeskChange(BaseModel):
    """An order that was given."""

    change_id: int
    client: str
    event_id: str
    act: Act
    by: str | None
    reason: str
    visits: int
    asked_at: datetime


class DeskChanges(BaseModel):
    """Orders, newest first."""

    items: list[DeskChange]
    next_before: int | None


def shift_of(body: WhichBody) -> Shift:
    """Return where to visits are moved.

    Raises:
        Refused: WHERE_TO: neither or both are told; BAD_DAY.
    """
    if not isinstance(body, MoveBody):
        return NOWHERE
    if (body.by_minutes is None) == (body.to_day is None) or body.by_minutes == 0:
        raise Refused("WHERE_TO", "give by_minutes, which is not 0, or to_day", "to_day")
    to_day: date | None = None if body.to_day is None else calendar_day(body.to_day, "to_day")
    return Shift(body.by_minutes, to_day)
