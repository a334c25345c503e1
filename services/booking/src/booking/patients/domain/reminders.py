"""The reminders of a visit that are still to come, which a flag of its patient takes back (R14)."""

from datetime import datetime

from schemas.appointments import Appointment
from schemas.planning import plan


def still_to_come(version: Appointment, now: datetime) -> int:
    """Return how many reminders of a visit leave after `now` if nothing changes."""
    return sum(reminder.reason is None and reminder.due > now for reminder in plan(version))
