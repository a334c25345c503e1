"""What happened to a visit: the snapshot held against the snapshot arriving, never an event's type (design §2)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from schemas.appointments import NOT_YET_BOOKED, IngestMode, Status
from schemas.lean_models import AppointmentReading
from schemas.notifications import Kind

_OVER = frozenset({Status.CANCELLED, Status.NOSHOW, Status.ENTERED_IN_ERROR})
_HERE = frozenset({Status.ARRIVED, Status.CHECKED_IN})
_BEFORE_ARRIVAL = frozenset({*NOT_YET_BOOKED, Status.BOOKED, Status.NOSHOW})


class VisitReading(AppointmentReading):
    """What fan-out decides by, and what it keeps. `ingest_time` is when booking took this version."""

    schedule_gen: int
    ingest_time: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    service_type: str | None = None
    mode: IngestMode = IngestMode.LIVE


class Transition(StrEnum):
    """A change that somebody may want to know of. Part of notification ids: never rename."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    ARRIVED = "arrived"
    NOSHOW = "noshow"


NOTICES: dict[Transition, tuple[Kind, ...]] = {
    Transition.BOOKED: (Kind.PROVIDER_BOOKED, Kind.CONFIRMATION),  # R20, R22
    Transition.MOVED: (Kind.PROVIDER_MOVED, Kind.MOVED),  # R27
    Transition.CANCELLED: (Kind.PROVIDER_CANCELLED, Kind.CANCELLED),  # R27
    Transition.ARRIVED: (Kind.PROVIDER_ARRIVED,),  # R28
    Transition.NOSHOW: (Kind.NO_SHOW,),  # off unless the clinic wants it
}
"""What each transition makes; each kind has a line in the gate's table."""


@dataclass(frozen=True, slots=True)
class Held:
    """What fan-out keeps of the newest version of an appointment.

    Attributes:
        clinic_id: None for a version seen before this was kept.
        turned_at: When booking took the version that booked or cancelled it last; None if never or unknown.
    """

    version: int
    status: Status
    schedule_gen: int
    starts_at: datetime | None = None
    clinic_id: str | None = None
    turned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """One transition, and the version that brought it; `appointment_id` is read from its text but once."""

    transition: Transition
    visit: VisitReading
    appointment_id: UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest version of an appointment, and when it turned (see `Held.turned_at`); `new`: none was held."""

    visit: VisitReading
    turned_at: datetime | None
    new: bool = False


@dataclass(frozen=True, slots=True)
class Folded:
    """What a batch comes to.

    Attributes:
        repeat: Places of the events that carried exactly the version held.
        stale: Places of those that carried a lower one.
    """

    happened: list[Happened] = field(default_factory=list)
    newest: dict[str, Kept] = field(default_factory=dict)
    repeat: list[int] = field(default_factory=list)
    stale: list[int] = field(default_factory=list)


def transition(before: Held | None, after: VisitReading) -> Transition | None:
    """Return what happened between two versions of one visit, or None if nobody needs to know.

    Booked: it was not, and now is; a correction back from arrived is no booking. Moved: it stays booked
    under another generation, at another time or clinic. Cancelled: it was booked, and now is cancelled.
    Arrived: the patient is here and was not, booked or not. No-show: it was booked, and he did not come.
    """
    was, now = before.status if before else None, after.status
    if now is Status.BOOKED:
        if was is None or was in NOT_YET_BOOKED or was in _OVER:
            return Transition.BOOKED
        return Transition.MOVED if before and was is Status.BOOKED and _moved(before, after) else None
    if now in _HERE:
        return Transition.ARRIVED if was is None or was in _BEFORE_ARRIVAL else None
    if was is not Status.BOOKED:
        return None
    if now is Status.CANCELLED:
        return Transition.CANCELLED
    return Transition.NOSHOW if now is Status.NOSHOW else None


def fold(events: Iterable[VisitReading], held: Mapping[str, Held]) -> Folded:
    """Return every transition of a batch: versions of one visit are folded in order, and each counts."""
    known = dict(held)
    happened: list[Happened] = []
    newest: dict[str, Kept] = {}
    repeat: list[int] = []
    stale: list[int] = []
    for place, event in enumerate(events):
        appointment = event.appointment_id
        before = known.get(appointment)
        version = before.version if before else 0
        if event.version <= version:
            (repeat if event.version == version else stale).append(place)
            continue
        what = transition(before, event)
        if what:
            happened.append(Happened(what, event, UUID(appointment)))
        turned = what is Transition.BOOKED or what is Transition.CANCELLED
        turned_at = event.ingest_time if turned else before.turned_at if before else None
        known[appointment] = Held(
            event.version, event.status, event.schedule_gen, event.starts_at, event.clinic_id, turned_at
        )
        newest[appointment] = Kept(event, turned_at, appointment not in held)
    return Folded(happened, newest, repeat, stale)


def _moved(before: Held, after: VisitReading) -> bool:
    """Say whether the patient must come at another time or to another clinic; other changes only re-render (D11)."""
    if before.schedule_gen == after.schedule_gen:
        return False
    elsewhere = before.clinic_id is not None and before.clinic_id != after.clinic_id
    return elsewhere or before.starts_at != after.starts_at
