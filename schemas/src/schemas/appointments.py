"""The topic `appointments`: full snapshots of appointments (design §2)."""

from datetime import datetime, time
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.model import ClinicId, Contract, Instant, Version


class Status(StrEnum):
    """FHIR R4's ten appointment statuses (D42); *confirmed* is a flag beside them."""

    PROPOSED = "proposed"
    PENDING = "pending"
    BOOKED = "booked"
    ARRIVED = "arrived"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    ENTERED_IN_ERROR = "entered-in-error"
    CHECKED_IN = "checked-in"
    WAITLIST = "waitlist"


SENDABLE = frozenset({Status.BOOKED})
"""Statuses that may be reminded (D11)."""

NOT_YET_BOOKED = frozenset({Status.PROPOSED, Status.PENDING, Status.WAITLIST})
"""Statuses before a booking: they open no sub-file (D3)."""


class Bar(StrEnum):
    """Why no message may go to a patient, whatever it is about (D44); each is a `schemas.reminders.Reason` too."""

    DECEASED = "DECEASED"
    DO_NOT_CONTACT = "DO_NOT_CONTACT"
    NO_CONSENT = "NO_CONSENT"


class IngestMode(StrEnum):
    """How an event came: as it happened, or as history (D43)."""

    LIVE = "live"
    BACKFILL = "backfill"


class ReminderRule(Contract):
    """One lead time. Exactly one of hours (elapsed) and days (wall clock, D12) is set.

    The slug is minted by booking and never reused.
    """

    slug: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    lead_hours: int | None = Field(default=None, ge=1, le=24 * 90)
    lead_days: int | None = Field(default=None, ge=1, le=90)
    in_force_since: Instant


class SendWindow(Contract):
    """Local hours in which a patient may be messaged (D16)."""

    opens: time
    closes: time


class ReminderPolicy(Contract):
    """The reminder rules in force for this appointment (D13)."""

    policy_id: str
    rules: tuple[ReminderRule, ...]
    window: SendWindow


class Appointment(Contract):
    """One version of one appointment, whole.

    A consumer applies only versions above the one it holds; everything else is a repeat or stale.
    No names and no contacts are in here.
    """

    appointment_id: UUID
    version: Version
    status: Status
    confirmed: bool = False
    mode: IngestMode = IngestMode.LIVE
    patient_id: UUID
    clinic_id: ClinicId
    provider_id: UUID | None = None
    service_type: str | None = None
    starts_at: Instant | None = None
    starts_local: datetime | None = Field(default=None, description="Wall time at the clinic, naive.")
    ends_at: Instant | None = None
    zone: str = Field(description="The clinic's IANA zone.")
    schedule_gen: int = Field(ge=1)
    schedule_set_at: Instant
    first_booked_at: Instant | None = None
    policy: ReminderPolicy
    event_time: Instant
    ingest_time: Instant
    source: str
    caused_by: str | None = None
    reason: str | None = None
    barred: Bar | None = Field(default=None, description="Why no message may go to the patient (D44).")
    flags: tuple[str, ...] | None = Field(
        default=None, description="What staff should look at of this version, such as NOT_CLEARED; left out: nothing."
    )


APPOINTMENT_CHANGED: Literal["appointment.changed.v1"] = "appointment.changed.v1"
