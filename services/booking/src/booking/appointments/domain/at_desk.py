"""Which visits a person at the clinic's desk may cancel or move: those ahead that stand as he saw them."""

from datetime import datetime
from uuid import UUID

from booking.appointments.domain.command import SeenAtDesk
from booking.appointments.domain.state import AppointmentState
from booking.appointments.domain.statuses import CAN_STILL_CHANGE, ENDS_BEFORE_BEGINNING
from booking.values.refusals import Refused
from booking.values.unset import Maybe


def check_at_desk(held: AppointmentState, seen: SeenAtDesk, to: Maybe[datetime | None], now: datetime) -> None:
    """Refuse what is cancelled, has begun, or was moved since it was looked at, and a move into the past.

    Args:
        to: When it is to begin, if it is moved.

    Raises:
        Refused: ALREADY_CANCELLED, ALREADY_BEGUN, CHANGED_MEANWHILE, START_PASSED.
    """
    check_not_over(held)
    if held.status not in CAN_STILL_CHANGE:
        raise Refused("ALREADY_BEGUN", f"the visit is {held.status.value}: what became of it is told by an event")
    if held.starts_at != seen.starts_at:
        raise Refused("CHANGED_MEANWHILE", "the visit was moved meanwhile: look at the day again")
    if held.starts_at is not None and held.starts_at <= now:
        raise Refused("ALREADY_BEGUN", "the visit's time has come: what became of it is told by an event")
    if isinstance(to, datetime) and to <= now:
        raise Refused("START_PASSED", "a visit is not moved into the past")


def check_is_his(held: AppointmentState, patient_id: UUID | None) -> None:
    """Refuse to check in another patient than whom the desk saw.

    Args:
        patient_id: Who is kept; None: whoever's visit it is.

    Raises:
        Refused: CHANGED_MEANWHILE.
    """
    if patient_id is not None and held.patient != patient_id:
        raise Refused("CHANGED_MEANWHILE", "the visit is another patient's: look at it again", "patient")


def check_not_over(held: AppointmentState) -> None:
    """Refuse what is cancelled, or entered in error.

    Raises:
        Refused: ALREADY_CANCELLED.
    """
    if held.status in ENDS_BEFORE_BEGINNING:
        raise Refused("ALREADY_CANCELLED", f"the visit is {held.status.value} already")
