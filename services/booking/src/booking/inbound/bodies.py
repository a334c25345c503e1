"""What is answered of events and records that came in; it is written by hand, which this describes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from booking.door.bodies import RefusedView, WarningView


class RecordPlace(BaseModel):
    """Where a record stands."""

    topic: str = Field(description="The topic's name on the broker.")
    partition: int
    offset: int


class DeadLetterView(BaseModel):
    """The dead letter of a record that was refused: its bytes are kept, and it can be replayed."""

    id: int
    state: Literal["open", "replayed", "discarded"]


class _Came(BaseModel):
    record: RecordPlace | None = Field(default=None, description="Its place; left out if it came over HTTP.")
    dead_letter: DeadLetterView | None = Field(default=None, description="Left out where there is none.")


class EventView(_Came):
    """What became of an event that was taken."""

    event_id: str
    appointment_id: UUID
    version: int = Field(description="Of the appointment, or of its clearances, after the event was taken first.")
    result: Literal["applied", "repeat", "stale", "tombstone"]
    original_result: Literal["applied", "repeat", "stale", "tombstone"] | None = Field(
        default=None, description="Of a record that is a repeat: what became of the event at first; else left out."
    )
    warnings: list[WarningView]


class RefusedEventView(RefusedView, _Came):
    """What became of an event that was refused and kept."""

    event_id: str
    result: Literal["refused"]
    recorded_at: datetime = Field(description="When it was refused.")


class RefusedRecordView(RefusedView, _Came):
    """What became of a record that was refused: it is a dead letter."""

    event_id: str | None = Field(description="null: none could be read in it.")
    result: Literal["refused"]
    recorded_at: datetime = Field(description="When it was refused.")


class WaitingRecordView(BaseModel):
    """A record that is not read yet, if there is one."""

    result: Literal["waiting"]
    read_up_to: int = Field(description="The offset that is read next in this partition.")
    record: RecordPlace


class SkippedRecordView(BaseModel):
    """A record of which nothing is kept: it could not be read at all, or is of nobody's visit."""

    result: Literal["skipped", "ignored"] = Field(
        description="skipped: people went on without it. ignored: a slot that is blocked, say: nothing was to be done."
    )
    record: RecordPlace


RecordView = EventView | RefusedRecordView | WaitingRecordView | SkippedRecordView


class RefusedEvent(RefusedView):
    """An event, or a record, that was refused and waits for people."""

    client: str | None = Field(description="Whose it is; null: the topic is nobody's.")
    event_id: str | None = Field(description="null: none could be read in it.")
    recorded_at: datetime
    record: RecordPlace | None = Field(description="null: it came over HTTP.")
    dead_letter: DeadLetterView | None = Field(description="null: it came over HTTP, and its sender has the answer.")


class RefusedEventPage(BaseModel):
    """What was refused, newest first; `next_after` is the `after` of the next page, null on the last."""

    items: list[RefusedEvent]
    next_after: str | None
