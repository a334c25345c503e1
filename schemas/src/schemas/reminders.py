"""The topic `reminders`, owned by the reminders worker (planned, due) and its projector (clinic_day)."""

from datetime import date
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field

from schemas.model import ClinicId, Contract, Instant, Version


class ReminderStatus(StrEnum):
    """R13. The order on the lattice is SCHEDULED < CANCELLED < FAILED < SENT."""

    SCHEDULED = "SCHEDULED"
    CANCELLED = "CANCELLED"
    FAILED = "FAILED"
    SENT = "SENT"


class Reason(StrEnum):
    """Why a reminder or a message did not go out (B1)."""

    DUE_IN_PAST = "DUE_IN_PAST"  # D14
    TOO_LATE = "TOO_LATE"  # D15
    QUIET_HOURS = "QUIET_HOURS"  # D16
    APPOINTMENT_CANCELLED = "APPOINTMENT_CANCELLED"  # R14, R26
    RESCHEDULED = "RESCHEDULED"  # D10
    NOT_SENDABLE = "NOT_SENDABLE"  # D11: any status but booked
    CHANNELS_DISABLED = "CHANNELS_DISABLED"  # D30
    NO_CONTACT = "NO_CONTACT"  # D30
    NO_CONSENT = "NO_CONSENT"
    DO_NOT_CONTACT = "DO_NOT_CONTACT"  # D44
    DECEASED = "DECEASED"  # D44
    UNKNOWN_PATIENT = "UNKNOWN_PATIENT"  # a booking of someone who was never registered
    UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"  # R21: nobody assigned, or nobody known by that id
    PAST_VISIT = "PAST_VISIT"  # D37
    BACKFILL = "BACKFILL"  # D43
    HELD = "HELD"  # sending mode hold, or not on the allow-list
    HELD_BACK = "HELD_BACK"  # upstream contradicts itself, and nobody knows whether the visit stands
    SUPERSEDED = "SUPERSEDED"
    REFUSED = "REFUSED"  # every channel of the chain refused it for good
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    NOT_ACCEPTED = "NOT_ACCEPTED"  # a channel kept refusing for now until its budget ended (D33)
    UNDELIVERED = "UNDELIVERED"  # accepted by a carrier, and reported as not delivered
    OPTED_OUT = "OPTED_OUT"  # D36
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"  # the channel's own hours were closed (D16)
    LIMIT = "LIMIT"  # D18: never a third message to one patient on one day for one visit
    NOT_WANTED = "NOT_WANTED"  # the clinic does not send this kind
    ALREADY_TOLD = "ALREADY_TOLD"  # D18: a reminder of the visit was accepted or is still to come
    DROPPED = "DROPPED"  # a person took it off the staff list
    CLEARED = "CLEARED"  # R34: the visit lacks nothing any more
    UNDECIDABLE = "UNDECIDABLE"  # its decision failed: something it needs, or the program, has to be mended first


class PlannedReminder(Contract):
    """One reminder of one schedule: when it leaves and until when it may, or why it never will."""

    reminder_id: UUID
    rule: str
    due: Instant
    not_after: Instant
    status: Literal[ReminderStatus.SCHEDULED, ReminderStatus.CANCELLED]
    reason: Reason | None = None


class RemindersPlanned(Contract):
    """All reminders of an appointment as of one applied version (design §5).

    Reminders of earlier generations that are not listed and not handed over are cancelled by it.
    """

    appointment_id: UUID
    version: Version
    schedule_gen: int = Field(ge=1)
    patient_id: UUID
    clinic_id: ClinicId
    reminders: tuple[PlannedReminder, ...]
    caused_by: str
    starts_at: Instant | None = Field(default=None, description="Of the visit; absent in events of earlier releases.")


class RemindersCancelled(Contract):
    """Reminders that were planned, came due and will never leave: TOO_LATE or SUPERSEDED (D15).

    Lists only those; every other reminder of the appointment stays as it is.
    """

    appointment_id: UUID
    version: Version
    schedule_gen: int = Field(ge=1)
    reminders: tuple[PlannedReminder, ...]
    caused_by: str
    starts_at: Instant | None = Field(default=None, description="Of the visit; absent in events of earlier releases.")


class ReminderDue(Contract):
    """A reminder is handed over. Emitted at least once; consumers drop repeats by `reminder_id`."""

    reminder_id: UUID
    appointment_id: UUID
    version: Version
    schedule_gen: int = Field(ge=1)
    rule: str
    due: Instant
    not_after: Instant
    caused_by: str
    starts_at: Instant | None = Field(default=None, description="Of the visit; absent in events of earlier releases.")


class ClinicDayDue(Contract):
    """A clinic's day has begun (R19): 8:00 on its wall. Keyed by `clinic_id`; once for each clinic and day.

    Who gets what for it is decided where it is sent, with what is true then (D18).
    """

    clinic_id: ClinicId
    day: date = Field(description="The day at the clinic.")
    zone: str
    due: Instant = Field(description="8:00 on the clinic's wall.")
    not_after: Instant = Field(description="10:00 on the clinic's wall: later nothing of it is sent any more (D20).")
    caused_by: str = Field(description="The time slot: job, clinic, day.")


class ReminderDeadLetter(Contract):
    """A record of `appointments` that the worker could not decode; the projector stores it (G8)."""

    topic: str
    partition: int
    offset: int
    code: str
    message: str
    key: str | None = Field(default=None, description="base64")
    value: str | None = Field(default=None, description="base64")
    headers: dict[str, str] = Field(default_factory=dict, description="base64 values")
    header_bytes: tuple[tuple[str, str | None], ...] | None = Field(
        default=None,
        description="names and values in base64, in order, where `headers` cannot say them: a name comes twice or is "
        "not UTF-8, or a value is null",
    )


REMINDERS_PLANNED: Literal["reminders.planned.v1"] = "reminders.planned.v1"
REMINDERS_CANCELLED: Literal["reminders.cancelled.v1"] = "reminders.cancelled.v1"
REMINDER_DUE: Literal["reminder.due.v1"] = "reminder.due.v1"
CLINIC_DAY_DUE: Literal["clinic_day.due.v1"] = "clinic_day.due.v1"
REMINDER_DEAD_LETTER: Literal["reminder.dead_letter.v1"] = "reminder.dead_letter.v1"
