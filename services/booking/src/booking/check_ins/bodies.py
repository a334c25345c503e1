"""What is answered of check-ins, wherever they are shown."""

from datetime import datetime

from pydantic import BaseModel, Field

from booking.clearances.answers import CheckedView, LackView
from booking.clearances.domain.policy import Mode
from schemas.appointments import Status


class WhatWasChecked(BaseModel):
    """What a clinic required for a check-in, and what of it lacked, as it was decided."""

    status: Status = Field(description="That the visit has by it.")
    mode: Mode = Field(description="Whether the clinic refused a check-in while something lacked.")
    checked: list[CheckedView] = Field(description="Every requirement; none: nothing was required.")
    lacking: list[LackView]
    overridden: bool = Field(description="Something lacked that the clinic enforces, and he was let in all the same.")


class RefusedCheckInView(BaseModel):
    """A check-in at our own door that was refused; the same person's again, while nothing changed, is the same one."""

    code: str = Field(description="Why, such as NOT_CLEARED or ILLEGAL_TRANSITION.", examples=["NOT_CLEARED"])
    version: int = Field(description="Of the visit, as it was.")
    status: Status = Field(description="Of the visit, as it was.")
    mode: Mode = Field(description="Whether the clinic refused a check-in while something lacked.")
    checked: list[CheckedView] = Field(description="Every requirement; none: nothing was required.")
    lacking: list[LackView]
    client: str
    by: str | None = Field(description="Who, as the client says.")
    refused_at: datetime


class CheckInView(WhatWasChecked):
    """A check-in of a visit."""

    version: int = Field(description="Of the visit, that it made.")
    at_desk: bool = Field(description="At our own door; else upstream reported it.")
    client: str
    by: str | None = Field(description="Who, as the client says.")
    reason: str | None
    checked_at: datetime
