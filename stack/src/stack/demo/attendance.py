"""What status each visit must end with: as posted last, or a no-show that booking finds itself (R18, D19)."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from stack.demo.calendar import local
from stack.demo.changes import Change

LOOKED_EVERY = timedelta(hours=2)
WAITED = timedelta(minutes=30)


def statuses_at(changes: Iterable[Change], until: datetime) -> Counter[tuple[str, str]]:
    """Return how often each (appointment, status) must be there at an instant: once."""
    applied = sorted((c for c in changes if c.answer == "applied"), key=lambda c: (c.appointment, c.at))
    return Counter(
        (appointment, _status(list(history), until))
        for appointment, history in groupby(applied, key=lambda change: change.appointment)
    )


def missed_at(history: list[Change]) -> datetime | None:
    """Return when booking finds that nobody came, or None if somebody did, or it was told of only afterwards."""
    last = history[-1]
    end = last.start + last.length
    told_at = next(change.at for change in history if change.start == last.start)
    return next_look(end + WAITED, last.zone) if last.status == "booked" and told_at <= end else None


def _status(history: list[Change], until: datetime) -> str:
    missed = missed_at(history)
    return "noshow" if missed and missed <= until else history[-1].status


def next_look(instant: datetime, zone: str) -> datetime:
    """Return the first look at or after an instant: every two hours from the clinic's midnight, in elapsed time."""
    today = instant.astimezone(ZoneInfo(zone)).date()
    midnight, tomorrow = (local(day, time(0), zone) for day in (today, today + timedelta(days=1)))
    return min(midnight - (midnight - instant) // LOOKED_EVERY * LOOKED_EVERY, tomorrow)
