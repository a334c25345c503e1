"""What `GET /v1/contacts/quality` is asked and answers."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from schemas.model import ClinicId
from schemas.notifications import Channel
from schemas.reminders import Reason

PAGE, LONGEST_PAGE = 100, 500


class ChannelView(BaseModel):
    """Why one channel does not lead to the patient."""

    channel: Channel
    reason: Reason


class PatientView(BaseModel):
    """A patient who cannot be reached, with his soonest visit. `channels`: those he has left on."""

    patient_id: UUID
    patient_name: str | None
    reason: Reason
    reason_text: str
    channels: list[ChannelView]
    appointment_id: UUID
    clinic_id: str
    starts_at: datetime
    zone: str


class Quality(BaseModel):
    """Patients, soonest visit first; `next_after` is the `after` of the next page, null on the last."""

    items: list[PatientView]
    looked_at: int = Field(description="Patients with visits ahead that this page looked at.")
    next_after: str | None = None


class Filters(BaseModel):
    """Which of them."""

    clinic: ClinicId | None = None
    reason: Reason | None = None
    after: str | None = Field(None, max_length=200)
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE
