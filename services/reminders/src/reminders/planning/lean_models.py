"""The parts of a record of `appointments` that planning needs, decoded in C; whatever else it holds is skipped.

They accept canonical values only: `visit_reader` reads anything else as the whole contract.
"""

from datetime import datetime, time
from typing import Annotated

import msgspec

from schemas.appointments import Bar, Status

IdText = Annotated[str, msgspec.Meta(min_length=36, max_length=36)]
"""A UUID's text; that it is one, and canonical, is checked in `read_visit`: a pattern costs ten times as much."""

Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Counted = Annotated[int, msgspec.Meta(ge=1)]


class LeanRule(msgspec.Struct, frozen=True):
    """`schemas.appointments.ReminderRule`."""

    slug: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]{1,40}\Z")]  # `$` would let a newline follow
    in_force_since: Aware
    lead_hours: Annotated[int, msgspec.Meta(ge=1, le=2160)] | None = None
    lead_days: Annotated[int, msgspec.Meta(ge=1, le=90)] | None = None


class LeanWindow(msgspec.Struct, frozen=True):
    """`schemas.appointments.SendWindow`."""

    opens: time
    closes: time


class LeanPolicy(msgspec.Struct, frozen=True):
    """`schemas.appointments.ReminderPolicy`, as far as it is planned by."""

    rules: tuple[LeanRule, ...]
    window: LeanWindow


class LeanVisit(msgspec.Struct):
    """`schemas.appointments.Appointment`, as far as it is planned by; the policy unread."""

    appointment_id: IdText
    version: Counted
    status: Status
    patient_id: IdText
    clinic_id: str
    zone: str
    schedule_gen: Counted
    schedule_set_at: Aware
    event_time: Aware
    policy: msgspec.Raw
    starts_at: Aware | None = None
    barred: Bar | None = None
