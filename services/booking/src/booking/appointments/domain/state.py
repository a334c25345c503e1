"""What booking holds of one appointment, and what becomes of a command about it."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from booking.values.identity import PatientKey
from booking.values.warned import Warned
from schemas.appointments import IngestMode, Status


class Result(StrEnum):
    """What became of a command that was accepted."""

    APPLIED = "applied"
    REPEAT = "repeat"
    STALE = "stale"
    TOMBSTONE = "tombstone"


class AppointmentState(NamedTuple):
    """What booking holds of one appointment. Version 0 is a tombstone: cancelled before it was ever booked.

    A tuple, because thousands of them are made, compared and written a second.

    Attributes:
        arrived_at: When what it says first came from outside. Changes that are not
            upstream's (answers, rules, no-shows, merges) leave it.
        arrived_offset: Where in the inbound topic, if by that.
        said_status: Upstream's own last status, where booking holds another: a patient's answer, or a no-show that was
            found, or a change at our own door. None: the same.
        said_confirmed: The same of `confirmed`.
        said_reason: The reason given with `said_status`, if any.
        said_starts_at: Upstream's own last start, where the visit was moved at our own door. None: the one held.
        never_booked: Upstream has not said yet that it is booked: its first word was a request, or what happened.
    """

    source: str
    version: int
    status: Status
    sequence: int | None
    source_time: datetime | None
    event_time: datetime
    ingest_time: datetime
    confirmed: bool = False
    mode: IngestMode = IngestMode.LIVE
    patient: PatientKey | None = None
    clinic_id: str | None = None
    provider_id: UUID | None = None
    service_type: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    schedule_gen: int = 1
    schedule_set_at: datetime | None = None
    first_booked_at: datetime | None = None
    caused_by: str | None = None
    reason: str | None = None
    arrived_at: datetime | None = None
    arrived_offset: int | None = None
    said_status: Status | None = None
    said_confirmed: bool | None = None
    said_reason: str | None = None
    said_starts_at: datetime | None = None
    never_booked: bool = False


class Decision(NamedTuple):
    """The outcome: `state` is what is held from now on, a new version only if the result is APPLIED."""

    result: Result
    state: AppointmentState
    warnings: tuple[Warned, ...] = ()
