"""What `POST /v1/events` answers; it is written by `formats.answers`, which this describes."""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from booking.appointments.domain.state import Result
from booking.door.bodies import RefusedItem, WarningView

_TAKEN: dict[str, JsonValue] = {
    "event_id": "msg-1",
    "appointment_id": "0195f3c1-7a52-7c3e-9d41-5f0c2b6a7e10",
    "version": 1,
    "result": "applied",
    "warnings": [],
}


class EventTaken(BaseModel):
    """What became of an event that was taken, after the commit."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TAKEN]})

    event_id: str
    appointment_id: UUID
    version: int = Field(description="Of the appointment, as this event left it; 0: cancelled before it was booked.")
    result: Result
    original_result: Result | None = Field(default=None, description="Of a repeat: what the first time came to.")
    reminders_cancelled: int | None = Field(default=None, description="How many reminders this takes back.")
    warnings: list[WarningView]


class ListedTaken(EventTaken):
    """One event of a batch that was taken."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": 200, **_TAKEN}]})

    status: Literal[200]


class ListedRefused(RefusedItem):
    """One event of a batch that was refused, with the status that it would have had alone."""

    event_id: str | None = Field(default=None, description="If it can be one.")


class EventBatch(BaseModel):
    """The answers, in the order of the events."""

    results: list[ListedTaken | ListedRefused]
    warnings: list[WarningView] = Field(default=[], description="Of what is around the events; left out if none.")


class ListedPerson(BaseModel):
    """A message of a patient alone that was taken: he is registered, changed or merged, if he was not so before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": 200, "result": "told", "warnings": []}]})

    status: Literal[200]
    result: Literal["told"]
    warnings: list[WarningView]


class FileTaken(EventBatch):
    """The answers, in the order of the file."""

    results: list[ListedTaken | ListedPerson | ListedRefused]  # type: ignore[assignment]  # wider than a batch's
