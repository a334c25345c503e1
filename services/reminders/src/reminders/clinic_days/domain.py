"""The beginning of a clinic's day: 8:00 on its own wall (R19, D18)."""

from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from schemas.people import Clinic
from schemas.reminders import ClinicDayDue
from schemas.wire import derived_id

JOB = "clinic-day"
BEGINS, UNTIL = time(8), time(10)
"""A day that was missed begins late until 10:00 only (D20)."""


@dataclass(frozen=True, slots=True)
class ClinicVersion:
    """A version of a clinic, and the domain time at which it was made."""

    clinic: Clinic
    at: datetime


def day_due(clinic_id: str, zone: str, slot: str, due: datetime, not_after: datetime) -> ClinicDayDue:
    """Return what is said when a clinic's day begins.

    Args:
        slot: The wall time, as `2026-03-29T08:00`.
    """
    day = datetime.fromisoformat(slot).date()
    return ClinicDayDue(
        clinic_id=clinic_id, day=day, zone=zone, due=due, not_after=not_after, caused_by=f"{JOB}/{clinic_id}/{slot}"
    )


def event_id_of(event: ClinicDayDue) -> UUID:
    """Return the event's id: the same clinic and day, the same id."""
    return derived_id("clinic-day", event.clinic_id, event.day.isoformat())
