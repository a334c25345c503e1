"""What the read API answers of appointments; it is written by hand, which this describes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from booking.check_ins.bodies import CheckInView, RefusedCheckInView
from booking.clearances.answers import StandingView
from schemas.appointments import Appointment, Bar, Status


class AppointmentView(BaseModel):
    """An appointment as it is, and its history: each version as it was published on the topic `appointments`."""

    appointment_id: UUID
    source: str
    source_id: str = Field(description="What the source calls it.")
    version: int
    status: Status
    tombstone: bool = Field(description="It was cancelled before it was ever booked: there is no version.")
    standing: StandingView = Field(description="What lacks of what its clinic requires before check-in.")
    check_ins: list[CheckInView] = Field(
        description="Those at our own door, and those of upstream's for which anything was required; oldest first."
    )
    refused_check_ins: list[RefusedCheckInView] = Field(
        description="Those at our own door that the state of the visit refused; oldest first."
    )
    current: Appointment | None
    history: list[Appointment] = Field(description="Oldest first.")


class AppointmentAhead(BaseModel):
    """An appointment of a page."""

    appointment_id: UUID
    version: int
    schedule_gen: int = Field(description="How often its time was set.")


class AppointmentPage(BaseModel):
    """Appointments, soonest first; `next_after` is the `after` of the next page, null on the last."""

    items: list[AppointmentAhead]
    next_after: str | None


class VisitView(AppointmentAhead):
    """A visit as a front desk needs it."""

    source: str
    source_id: str | None = Field(description="What the source calls it.")
    status: Status
    confirmed: bool
    starts_at: datetime
    starts_local: datetime | None = Field(description="The same by the clock at the clinic, without offset.")
    ends_at: datetime | None
    zone: str | None
    clinic_id: str | None
    service_type: str | None
    provider_id: UUID | None
    provider_name: str | None
    patient_id: UUID | None
    patient_name: str | None
    patient_mobile: str | None
    patient_withheld: Literal["FOREIGN_PATIENT", "UNREGISTERED"] | None = Field(
        description="Why name and mobile are null: the client may not read the patient, or nobody registered him."
    )
    reason: str | None = Field(description="Of the last change, if one was given.")


class VisitPage(BaseModel):
    """Whole visits, soonest first; `next_after` is the `after` of the next page, null on the last."""

    items: list[VisitView]
    next_after: str | None


class AheadView(BaseModel):
    """Version, schedule and bar of an appointment."""

    appointment_id: UUID
    version: int
    schedule_gen: int
    status: Status
    starts_at: datetime | None
    since: datetime = Field(description="When this version was taken.")
    barred: Bar | None = Field(description="Why no message may go to its patient.")


class AheadPage(BaseModel):
    """Appointments ahead in the order of their ids; `next_after` is the next page's `after`, null on the last."""

    items: list[AheadView]
    next_after: UUID | None


class States(BaseModel):
    """Appointments as they are now, ahead or not."""

    items: list[AheadView]


class Snapshots(BaseModel):
    """The newest event of each, whole, as it was published on the topic `appointments`."""

    items: list[Appointment]
