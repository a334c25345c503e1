"""Patients' answers as staff see them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from chassis.api.query_fields import By


class ReplyView(BaseModel):
    """One answer. Sender and text are gone once they have been kept long enough; `why` null: staff need not look."""

    reply_id: UUID
    channel: str
    sender: str | None
    sender_user_id: str | None = Field(description="Of WhatsApp, where a user name may hide the number.")
    text: str | None
    meaning: str
    verdict: str
    why: str | None
    said_back: str | None = Field(description="What HELP was answered at once: who we are.")
    appointment_id: UUID | None
    clinic_id: str | None
    received_at: datetime
    done_at: datetime | None
    done_by: str | None


class ReplyPage(BaseModel):
    """Answers, newest first; `next` continues."""

    items: list[ReplyView]
    next: str | None


class DoneBody(BaseModel):
    """Who has seen to it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"by": "front desk"}})

    by: By
