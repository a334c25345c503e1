"""When nobody came: what a visit becomes that is still booked after its end (R18, D19)."""

from datetime import datetime, timedelta
from typing import NamedTuple

from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.statuses import OWN_NO_SHOW
from booking.appointments.domain.transitions import Actor, Step, step_of
from booking.appointments.domain.two_writers import own_version
from schemas.appointments import Status

MAY_BE_MISSED = tuple(
    held for held in Status if held is not Status.NOSHOW and step_of(Actor.BOOKING, held, Status.NOSHOW) is Step.ALLOWED
)
"""Statuses of a visit of which booking itself may say that nobody came (0052)."""


class NoShowRule(NamedTuple):
    """The installation's choices."""

    every: timedelta = timedelta(hours=2)
    grace: timedelta = timedelta(minutes=30)
    visit_length: timedelta = timedelta(minutes=30)


def cause_of(clinic_id: str, slot: str) -> str:
    """Return what the new versions of a slot name as their cause."""
    return f"{OWN_NO_SHOW}{clinic_id}/{slot}"


def not_attended(held: AppointmentState, cause: str, grace: timedelta, now: datetime) -> AppointmentState:
    """Return the next version of a visit that nobody came to; upstream's order stays, so its next word is newer.

    Args:
        cause: From `cause_of`.
    """
    minutes = int(grace.total_seconds() // 60)
    after = held._replace(
        version=held.version + 1,
        status=Status.NOSHOW,
        event_time=now,
        ingest_time=now,
        caused_by=cause,
        reason=f"no arrival was reported within {minutes} min after the end",
    )
    return own_version(held, after)
