"""A batch of versions, folded: the newest of each visit, held against the one before (design §2)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from schemas.appointments import NOT_YET_BOOKED, IngestMode, Status
from schemas.lean_models import AppointmentReading

_HERE = frozenset({Status.ARRIVED, Status.CHECKED_IN})
_BEFORE_ARRIVAL = frozenset({None, *NOT_YET_BOOKED, Status.BOOKED, Status.NOSHOW})


class VisitReading(AppointmentReading):
    """What fan-out decides by, and what it keeps. `ingest_time` is when booking took this version."""

    schedule_gen: int
    ingest_time: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    service_type: str | None = None
    mode: IngestMode = IngestMode.LIVE
    flags: tuple[str, ...] | None = None


class Happening(StrEnum):
    """What is news because it happened, whatever anybody was told. Part of notification ids: never rename."""

    ARRIVED = "arrived"
    NOSHOW = "noshow"
    NOT_CLEARED = "not-cleared"


@dataclass(frozen=True, slots=True)
class Held:
    """What fan-out keeps of the newest version of an appointment.

    Attributes:
        clinic_id: None, as the two after it, for a version seen before this was kept.
        turned_at: When booking took the version with which it last began or ceased to be booked; None if unknown.
    """

    version: int
    status: Status
    starts_at: datetime | None = None
    clinic_id: str | None = None
    patient_id: str | None = None
    provider_id: str | None = None
    turned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """One happening, and the version that brought it."""

    what: Happening
    visit: VisitReading
    appointment_id: UUID


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest version of an appointment, and when it turned (see `Held.turned_at`).

    Attributes:
        new: None was held.
        changed: What somebody may have been told is not what it was: status, start, clinic, patient or provider.
        turned: It turned in this batch.
    """

    visit: VisitReading
    turned_at: datetime | None
    new: bool = False
    changed: bool = True
    turned: bool = False


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


NOT_CLEARED = "NOT_CLEARED"
"""The flag of a version with which upstream checked in a patient whose visit lacks what the clinic requires (R34)."""


def happenings(before: Status | None, after: VisitReading) -> Iterator[Happening]:
    """Give what happened: the patient is here and was not, booked or not; or he was booked and did not come.

    And that he was checked in although his visit is not cleared.
    """
    if after.status in _HERE and before in _BEFORE_ARRIVAL:
        yield Happening.ARRIVED
    if (before, after.status) == (Status.BOOKED, Status.NOSHOW):
        yield Happening.NOSHOW
    if NOT_CLEARED in (after.flags or ()):
        yield Happening.NOT_CLEARED


def fold(events: Iterable[VisitReading], held: Mapping[str, Held]) -> Folded:
    """Return the newest version of each visit, and every happening of a batch: versions of one visit in order."""
    folded = Folded()
    for place, event in enumerate(events):
        before = _before(folded.newest.get(event.appointment_id), held.get(event.appointment_id))
        if before and event.version <= before.version:
            (folded.repeat if event.version == before.version else folded.stale).append(place)
            continue
        was = before.status if before else None
        folded.happened.extend(Happened(what, event, UUID(event.appointment_id)) for what in happenings(was, event))
        _keep(folded, event, before, known=event.appointment_id in held)
    return folded


def _keep(folded: Folded, event: VisitReading, before: Held | None, *, known: bool) -> None:
    already = folded.newest.get(event.appointment_id)
    booked = event.status is Status.BOOKED
    turns = booked if before is None else booked is not (before.status is Status.BOOKED)
    folded.newest[event.appointment_id] = Kept(
        event,
        event.ingest_time if turns else before.turned_at if before else None,
        new=not known,
        changed=(already is not None and already.changed) or before is None or _differs(before, event),
        turned=turns or (already is not None and already.turned),
    )


def _before(newest: Kept | None, held: Held | None) -> Held | None:
    if newest is None:
        return held
    visit = newest.visit
    return Held(
        visit.version,
        visit.status,
        visit.starts_at,
        visit.clinic_id,
        visit.patient_id,
        visit.provider_id,
        newest.turned_at,
    )


def _differs(before: Held, after: VisitReading) -> bool:
    was = (before.status, before.starts_at, before.clinic_id, before.patient_id, before.provider_id)
    return was != (after.status, after.starts_at, after.clinic_id, after.patient_id, after.provider_id)
