"""The comparison of an appointment's timers with its state in booking (design §5)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

SETTLED_AFTER = timedelta(seconds=60)
"""So long a version may be on its way from booking to the timers before anything is made of a difference."""

SENDABLE = "booked"
"""The status in which an appointment's timers may wait (D11)."""


class Difference(StrEnum):
    """What is wrong with the timers of one appointment."""

    MISSING = "missing"  # ahead in booking, and no row
    DIFFERENT = "different"  # a row of this version, of another schedule or start, or one that cannot be read
    UNWANTED = "unwanted"  # timers wait for what booking does not know, or not any more as something to remind of
    BEHIND = "behind"  # a row of a version that booking has not: its database was put back, and nothing here is wrong


@dataclass(frozen=True, slots=True)
class BookingState:
    """The state of an appointment in booking, as booking's read API gives it.

    Attributes:
        status: FHIR's word for it.
        starts_at: None: no time yet.
        barred: Why that version says that no message may go to its patient (D44), if it does.
    """

    appointment_id: UUID
    version: int
    schedule_gen: int
    status: str
    starts_at: datetime | None
    since: datetime
    barred: str | None = None

    @property
    def remindable(self) -> bool:
        """Whether timers of it may wait."""
        return self.status == SENDABLE and self.barred is None


@dataclass(frozen=True, slots=True)
class TimersState:
    """The state of an appointment's timers in this worker.

    Attributes:
        starts_at: What its timers lead up to; None: no instant that there is.
        unreadable: Whether nothing else can be said of its row, which fires nothing until it is planned anew.
    """

    version: int
    schedule_gen: int
    starts_at: datetime | None
    waiting: bool
    unreadable: bool = False


def difference(booked: BookingState, held: TimersState | None, now: datetime) -> Difference | None:
    """Compare an appointment that booking has ahead; None while all is well or still on its way.

    A version that booking has and the timers have not is on its way, or is booking's to publish. What the timers have
    was committed by booking before: a booking that does not know it is behind its own topic (decision 0026).
    """
    if now - booked.since < SETTLED_AFTER:
        return None
    if held is None:
        return Difference.MISSING
    if held.version != booked.version:
        return Difference.BEHIND if held.version > booked.version else None
    if held.unreadable:
        return Difference.DIFFERENT
    if held.schedule_gen != booked.schedule_gen or (held.waiting and booked.starts_at not in (None, held.starts_at)):
        return Difference.DIFFERENT
    return Difference.UNWANTED if held.waiting and not booked.remindable else None


def unwanted(booked: BookingState | None, held: TimersState | None, now: datetime) -> Difference | None:
    """Compare an appointment whose timers wait with booking's answer: None in `booked` says that it has none."""
    if held is None or not held.waiting:
        return None
    if booked is None:
        return Difference.UNWANTED
    return difference(booked, held, now)
