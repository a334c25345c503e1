"""What happened to a visit: the snapshot held against the snapshot arriving, never an event's type (design §2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from schemas.appointments import NOT_YET_BOOKED, Mode, Status
from schemas.notifications import Kind
from schemas.reading import AppointmentReading

_OVER = frozenset({Status.CANCELLED, Status.NOSHOW, Status.ENTERED_IN_ERROR})


class VisitReading(AppointmentReading):
    """What fan-out decides by."""

    schedule_gen: int
    starts_at: datetime | None = None
    mode: Mode = Mode.LIVE


class Transition(StrEnum):
    """A change that somebody may want to know of. Part of notification ids: never rename."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"


NOTICES: dict[Transition, tuple[Kind, ...]] = {
    Transition.BOOKED: (Kind.PROVIDER_BOOKED, Kind.CONFIRMATION),  # R20, R22
    Transition.MOVED: (),  # R27
    Transition.CANCELLED: (),  # R27
}
"""What each transition makes. Notices of R27 are lines here, with a line each in the gate's table."""


@dataclass(frozen=True, slots=True)
class Held:
    """What fan-out keeps of the newest version of an appointment."""

    version: int
    status: Status
    schedule_gen: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One transition, and the version that brought it."""

    transition: Transition
    visit: VisitReading


@dataclass(frozen=True, slots=True)
class Folded:
    """What a batch comes to.

    Attributes:
        happened: Every transition in the order of the topic.
        newest: The versions to keep, by appointment.
        repeat: How many events carried exactly the version held.
        stale: How many carried a lower one.
    """

    happened: list[Happened]
    newest: dict[str, VisitReading]
    applied: int
    repeat: int
    stale: int


def transition(before: Held | None, after: VisitReading) -> Transition | None:
    """Return what happened between two versions of one visit, or None if nobody needs to know.

    Booked: it was not, and now is; a correction back from arrived is no booking. Moved: it stays
    booked under another generation. Cancelled: it was booked, and now is cancelled.
    """
    was = before.status if before else None
    if after.status is Status.BOOKED:
        if was is None or was in NOT_YET_BOOKED or was in _OVER:
            return Transition.BOOKED
        moved = was is Status.BOOKED and before is not None and before.schedule_gen != after.schedule_gen
        return Transition.MOVED if moved else None
    cancelled = was is Status.BOOKED and after.status is Status.CANCELLED
    return Transition.CANCELLED if cancelled else None


def fold(events: Iterable[VisitReading], held: Mapping[str, Held]) -> Folded:
    """Return every transition of a batch: versions of one visit are folded in order, and each counts."""
    known = dict(held)
    folded = Folded([], {}, 0, 0, 0)
    applied = repeat = stale = 0
    for event in events:
        before = known.get(event.appointment_id)
        version = before.version if before else 0
        if event.version <= version:
            repeat, stale = repeat + (event.version == version), stale + (event.version < version)
            continue
        applied += 1
        if what := transition(before, event):
            folded.happened.append(Happened(what, event))
        known[event.appointment_id] = Held(event.version, event.status, event.schedule_gen)
        folded.newest[event.appointment_id] = event
    return Folded(folded.happened, folded.newest, applied, repeat, stale)
