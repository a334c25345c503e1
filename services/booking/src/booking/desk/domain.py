"""What a person at a clinic's desk asks for of many visits: which command it is for each, and who is told (0049)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from booking.appointments.domain.command import BookAppointment, SeenAtDesk
from booking.check_ins.domain import CheckInAtDesk
from booking.door.domain import Client
from booking.values.refusals import Refused
from booking.values.times import of_wall_time
from schemas.appointments import SENDABLE, Bar, Status


class Act(StrEnum):
    """What is asked for."""

    CANCEL = "cancel"
    MOVE = "move"


REASONS = {Act.CANCEL: "cancelled at the clinic's desk", Act.MOVE: "moved at the clinic's desk"}
"""The reason of visits for which none is given."""


class Shift(NamedTuple):
    """Where to a move goes; one of both is told. Each keeps to the clock at the clinic.

    Attributes:
        by_minutes: How far the hands of that clock are turned, back if below zero.
        to_day: The day to which the time of day is taken.
    """

    by_minutes: int | None = None
    to_day: date | None = None


NOWHERE = Shift()


class Wish(NamedTuple):
    """What is asked for.

    Attributes:
        key: The client's idempotency key; it names the order, and with each visit's id the command for that visit.
        changed_by: Who asks, as the client says.
    """

    client: Client
    key: str
    body_sha256: bytes
    act: Act
    reason: str
    changed_by: str | None
    shift: Shift = NOWHERE


class Order(NamedTuple):
    """The visits that were chosen for a wish, in the order in which they are carried out.

    Attributes:
        starts: Id → when the visit was to begin as it was chosen; None: it had no time, or nobody knows the visit.
    """

    starts: Mapping[UUID, datetime | None]
    asked_at: datetime

    def page(self, after: int, limit: int) -> Sequence[UUID]:
        """Return the ids of so many visits after the first `after` ones."""
        return list(self.starts)[after : after + limit]


class Visit(NamedTuple):
    """What the desk needs to know of a visit beside what is decided under its lock.

    Attributes:
        zone: Its clinic's; None: it has no clinic, and no time.
        barred: Why no message may go to its patient (D44), if so.
    """

    appointment_id: UUID
    source: str
    source_id: str
    status: Status
    starts_at: datetime | None
    zone: str | None
    provider_id: UUID | None
    patient_id: UUID | None
    barred: Bar | None = None

    @property
    def told(self) -> list[str]:
        """Who is told of a change of it; whether a message can leave is the notifier's to say."""
        if self.status not in SENDABLE:
            return []
        return ["patient"] * (self.barred is None) + ["provider"] * (self.provider_id is not None)


def command_for(wish: Wish, visit: Visit, seen: datetime | None) -> BookAppointment:
    """Return the command for one visit; the same order gives the same.

    Args:
        seen: When the visit was to begin as it was chosen.

    Raises:
        Refused: START_REQUIRED, START_IN_SPRING_GAP: it cannot be moved so.
    """
    command = BookAppointment(
        client=wish.client.client_id,
        key=f"{wish.key}#{visit.appointment_id}",
        body_sha256=wish.body_sha256,
        source=visit.source,
        appointment=visit.source_id,
        status=Status.CANCELLED,
        reason=wish.reason,
        at_desk=SeenAtDesk(seen),
    )
    if wish.act is Act.CANCEL:
        return command
    return command._replace(status=visit.status, starts_at=new_start(seen, visit.zone, wish.shift))


def check_in_of(
    visit: Visit, client: Client, key: str, body_sha256: bytes, asked: CheckInAtDesk, reason: str | None
) -> BookAppointment:
    """Return the command that checks a patient in."""
    return BookAppointment(
        client=client.client_id,
        key=key,
        body_sha256=body_sha256,
        source=visit.source,
        appointment=visit.source_id,
        status=Status.CHECKED_IN,
        reason=reason,
        check_in=asked,
    )


def new_start(start: datetime | None, zone: str | None, shift: Shift) -> datetime:
    """Return when a visit begins that is moved.

    Raises:
        Refused: As `command_for`.
    """
    if start is None or zone is None:
        raise Refused("START_REQUIRED", "the visit has no time that could be moved")
    there = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if shift.to_day is not None:
        wanted = datetime.combine(shift.to_day, there.time())
    else:
        wanted = there + timedelta(minutes=shift.by_minutes or 0)
    return of_wall_time(wanted, ZoneInfo(zone), "to_day" if shift.to_day else "by_minutes")
