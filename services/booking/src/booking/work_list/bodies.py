"""What is asked and answered of the work list of visits."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from booking.door.bodies import Order, Text
from schemas.appointments import Status

FlagCode = Literal["ILLEGAL_TRANSITION", "FACT_BEFORE_BOOKING", "HELD_BACK", "NOT_CLEARED", "CLEARANCE_MISSING"]
State = Literal["open", "done", "all"]

_EXAMPLE: dict[str, Any] = {
    "flag_id": 7,
    "code": "NOT_CLEARED",
    "meaning": "Upstream checked in a patient whose visit lacks what the clinic requires.",
    "appointment_id": "01a2b3c4-0000-7000-8000-000000000001",
    "source": "riverside",
    "source_id": "4711",
    "clinic_id": "CARDIO",
    "status": "checked-in",
    "starts_at": "2027-03-12T10:00:00Z",
    "zone": "Europe/London",
    "patient_id": "01a2b3c4-0000-7000-8000-00000000000a",
    "provider_id": None,
    "version": 3,
    "raised_at": "2027-03-12T09:51:00Z",
    "done_at": None,
    "done_by": None,
    "note": None,
}


class FlagView(BaseModel):
    """Something that staff should look at of a visit, and the visit as it is now."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    flag_id: int
    code: str = Field(description="Which kind it is.")
    meaning: str = Field(description="What is so, in words.")
    appointment_id: UUID
    source: str
    source_id: str | None = Field(description="What the source calls the visit.")
    clinic_id: str | None
    status: Status
    starts_at: datetime | None
    zone: str | None = Field(description="The clinic's, an IANA name.")
    patient_id: UUID | None
    provider_id: UUID | None
    version: int = Field(description="Of the visit, when the flag was raised.")
    raised_at: datetime
    done_at: datetime | None = Field(description="null: it waits.")
    done_by: str | None = Field(description="Who looked into it, or what settled it.")
    note: str | None


class FlagPage(BaseModel):
    """Flags, newest first; `next_after` is the `after` of the next page, null on the last."""

    items: list[FlagView]
    next_after: int | None


class DoneBody(Order):
    """Who looked into it, and what he found."""

    by: Text = Field(description="Who did it, kept with the flag.")
    note: Text | None = Field(default=None, description="What came of it; nothing of the patient belongs here.")


class FlagDone(FlagView):
    """A flag that is done."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {**_EXAMPLE, "done_at": "2027-03-12T09:55:00Z", "done_by": "front desk", "repeat": False}
        }
    )

    repeat: bool = Field(description="It was done before, and stays as it was.")
