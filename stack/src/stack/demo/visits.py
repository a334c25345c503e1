"""An appointment of the script through time: its schedules, and what it is at any instant."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby

from stack.demo.attendance import missed_at
from stack.demo.changes import Change

BEFORE_BOOKING = frozenset({"proposed", "pending", "waitlist"})
OFF = frozenset({*BEFORE_BOOKING, "cancelled", "entered-in-error"})
"""In which a visit does not stand: whoever was told that it does is told that it does not."""
HERE = frozenset({"arrived", "checked-in"})
REBOOKED_WITHIN = timedelta(minutes=2)


@dataclass
class Schedule:
    """One start of one appointment, while it stood; `cancelled`: it was so from the first."""

    start: datetime
    set_at: datetime
    sendable: bool
    closed_at: datetime | None = None
    closed_why: str = ""
    cancelled: bool = False

    def closed_by(self, instant: datetime) -> str | None:
        """Return why it no longer stood at an instant, or None."""
        return self.closed_why if self.closed_at and self.closed_at <= instant else None


@dataclass(frozen=True)
class Transition:
    """A turn of a visit: booked, cancelled, arrived or noshow."""

    what: str
    at: datetime
    change: Change

    @property
    def is_ahead(self) -> bool:
        """Whether the visit was still to come."""
        return self.at < self.change.start


@dataclass
class Visit:
    """One appointment."""

    history: list[Change]
    schedules: list[Schedule] = field(init=False)

    def __post_init__(self) -> None:
        """Build the schedules from what was posted."""
        self.history = [  # what was posted at one instant was still posted one after the other
            replace(change, at=change.at + n * timedelta(microseconds=1)) for n, change in enumerate(self.history)
        ]
        self.schedules = _schedules(self.history)
        if missed := missed_at(self.history):
            last = self.history[-1]
            self.history = [*self.history, replace(last, at=missed, status="noshow")]

    @property
    def name(self) -> str:
        """The source's id."""
        return self.history[0].appointment

    @property
    def is_imported(self) -> bool:
        """Whether it came as history out of a file."""
        return self.history[0].imported

    def at(self, instant: datetime) -> Change:
        """Return the newest change as of an instant at or after the first."""
        return [change for change in self.history if change.at <= instant][-1]

    def generation(self, instant: datetime) -> int:
        """Return the schedule generation as of an instant."""
        return sum(schedule.set_at <= instant for schedule in self.schedules)

    def transitions(self) -> Iterator[Transition]:
        """Yield what happened, in order."""
        for before, change in zip([None, *self.history], self.history, strict=False):
            if what := _transition(before, change):
                yield Transition(what, change.at, change)


def visits(changes: Iterable[Change], until: datetime | None) -> list[Visit]:
    """Return every appointment of the changes answered `applied`, as it is by `until` (None: in the end)."""
    applied = sorted((c for c in changes if c.answer == "applied"), key=lambda c: (c.appointment, c.at))
    made = [Visit(list(history)) for _, history in groupby(applied, key=lambda change: change.appointment)]
    if until is not None:
        for visit in made:
            visit.history = [change for change in visit.history if change.at <= until]
    return made


def rebooked(everything: Iterable[Visit]) -> dict[str, str]:
    """Return visits booked within two minutes of another's cancellation, for the same: its name → the other's (D37)."""
    known = list(everything)
    cancelled = [(one, visit.name) for visit in known for one in visit.transitions() if one.what == "cancelled"]
    found: dict[str, str] = {}
    for visit in known:
        for booked in (one for one in visit.transitions() if one.what == "booked" and one.is_ahead):
            for gone, name in cancelled:
                near = name != visit.name and abs(gone.at - booked.at) <= REBOOKED_WITHIN
                if near and gone.is_ahead and _same(gone.change, booked.change):
                    found[visit.name] = name
    return found


def _same(one: Change, other: Change) -> bool:
    return (one.patient, one.clinic, one.service) == (other.patient, other.clinic, other.service)


def _transition(before: Change | None, after: Change) -> str | None:
    was = before.status if before else None
    if after.status == "booked":
        return None if was == "booked" else "booked"
    if after.status in HERE:
        return "arrived" if was is None or was in BEFORE_BOOKING or was in {"booked", "noshow"} else None
    return after.status if was == "booked" and after.status in {"cancelled", "noshow"} else None


def _schedules(history: list[Change]) -> list[Schedule]:
    schedules: list[Schedule] = []
    for change in history:
        booked, cancelled = change.status == "booked", change.status in {"cancelled", "entered-in-error"}
        now = schedules[-1] if schedules else None
        returns = booked and now is not None and (not now.sendable or now.closed_at is not None)
        if now is None or now.start != change.start or returns:
            if now and not now.closed_at:
                now.closed_at, now.closed_why = change.at, "RESCHEDULED"
            schedules.append(Schedule(change.start, change.at, booked, cancelled=cancelled))
        elif not booked and now.sendable and not now.closed_at:
            now.closed_at, now.closed_why = change.at, "APPOINTMENT_CANCELLED" if cancelled else "NOT_SENDABLE"
    return schedules
