"""When the reminders of one schedule leave, or why they never will: D13 to D16 and D44 as worded, no code of theirs."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from stack.demo.calendar import local
from stack.demo.visits import Schedule

LEADS = {"24h": timedelta(hours=24), "2h": timedelta(hours=2)}
OPENS, CLOSES = time(7), time(21)
"""D16's default hours, which every clinic of the week keeps."""

EARLIER_BY, BEFORE_START, BEFORE_CLOSING = timedelta(hours=12), timedelta(hours=1), timedelta(minutes=30)
ENOUGH = timedelta(hours=6)
"""A reminder moved out of the night is needless if another one leaves within so long of it."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One rule's reminder of one schedule. `born`: why it never leaves, known when it was planned; else None."""

    rule: str
    lead: timedelta
    at: datetime
    born: str | None


def slots(schedule: Schedule, zone: str, barred: str | None = None) -> list[Slot]:
    """Return the reminders of a schedule, one a rule; none of them leaves if its patient is barred."""
    dues = {rule: schedule.start - lead for rule, lead in LEADS.items()}
    moved = {
        rule: due if next_opening(due, zone) == due else _moved(due, schedule.start, zone) for rule, due in dues.items()
    }
    made = []
    for rule, lead in LEADS.items():
        at, due = moved[rule], dues[rule]
        others = [other for name, other in moved.items() if name != rule and other]
        if not schedule.sendable:
            born: str | None = "APPOINTMENT_CANCELLED" if schedule.cancelled else "NOT_SENDABLE"
        elif barred:
            born = barred
        elif due <= schedule.set_at:
            born = "DUE_IN_PAST"
        elif at is None or at <= schedule.set_at:
            born = "QUIET_HOURS"
        elif at != due and any(abs(other - at) <= ENOUGH for other in others):
            born = "SUPERSEDED"
        else:
            born = None
        made.append(Slot(rule, lead, at or due, born))
    return made


def next_opening(at: datetime, zone: str) -> datetime:
    """Return the instant itself within the hours, else when they open."""
    wall = at.astimezone(ZoneInfo(zone))
    if OPENS <= wall.time() < CLOSES:
        return at
    return local(wall.date() + timedelta(days=wall.time() >= CLOSES), OPENS, zone)


def _moved(due: datetime, start: datetime, zone: str) -> datetime | None:
    wall = due.astimezone(ZoneInfo(zone))
    day = wall.date() - timedelta(days=wall.time() < OPENS)
    at = min(local(day, CLOSES, zone) - BEFORE_CLOSING, start - BEFORE_START)
    return at if at >= local(day, OPENS, zone) and due - at <= EARLIER_BY else None
