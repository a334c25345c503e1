"""Which time slot of a wall clock is the latest, and which comes next. Pure: the instant is an argument.

Slots are named by the wall they hang on, so a step of the machine's clock or a change of summer time never
gives one slot two names. What happens when the clocks change:

```
                 put forward over it                     put back over it (it comes twice)
Daily            the instant the gap ends                the first of the two, once
Every            counts elapsed hours since midnight: no slot in the gap, one more in the hour that repeats
```
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

DAYS_AROUND = range(-3, 4)
"""Days looked at around now: a wall may skip a whole date (Apia, 30 December 2011)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of one wall.

    Attributes:
        name: Its wall time; unique for the job and the wall.
        due: When it begins, UTC.
        not_after: The last instant at which it may still run, UTC; None: a missed slot always runs.
    """

    name: str
    due: datetime
    not_after: datetime | None = None

    def is_too_late(self, now: datetime) -> bool:
        """Whether the slot may not run any more."""
        return self.not_after is not None and now > self.not_after


class Timetable(Protocol):
    """When a job's slots are, on the wall of any zone."""

    def latest(self, zone: str, now: datetime) -> Slot:
        """Return the last slot that was due at or before `now`."""

    def following(self, zone: str, now: datetime) -> Slot:
        """Return the first slot that is due after `now`."""


@dataclass(frozen=True, slots=True)
class Daily:
    """Once a day at a time of the wall.

    Args:
        until: A missed slot runs late until then, on the same day; None: always.
    """

    at: time
    until: time | None = None

    def __post_init__(self) -> None:
        if self.until is not None and self.until <= self.at:
            raise ValueError("a daily slot ends on the day it begins")

    def latest(self, zone: str, now: datetime) -> Slot:
        return max((slot for slot in self._around(zone, now) if slot.due <= now), key=lambda slot: slot.due)

    def following(self, zone: str, now: datetime) -> Slot:
        return min((slot for slot in self._around(zone, now) if slot.due > now), key=lambda slot: slot.due)

    def _around(self, zone: str, now: datetime) -> list[Slot]:
        place = ZoneInfo(zone)
        today = now.astimezone(place).date()
        days = (today + timedelta(days=away) for away in DAYS_AROUND)
        return [self._of(day, place) for day in days if _exists(day, place)]

    def _of(self, day: date, place: ZoneInfo) -> Slot:
        until = None if self.until is None else first_instant(day, self.until, place)
        return Slot(f"{day}T{self.at:%H:%M}", first_instant(day, self.at, place), until)


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many hours from the wall's midnight, in elapsed time; the count begins anew each day.

    Args:
        interval: More than nothing, at most a day.
    """

    interval: timedelta

    def __post_init__(self) -> None:
        if not timedelta() < self.interval <= timedelta(days=1):
            raise ValueError("an interval is more than nothing and at most a day")

    def latest(self, zone: str, now: datetime) -> Slot:
        place = ZoneInfo(zone)
        midnight = _midnight(now, place)
        return _named(midnight + (now - midnight) // self.interval * self.interval, place)

    def following(self, zone: str, now: datetime) -> Slot:
        place = ZoneInfo(zone)
        tomorrow = now.astimezone(place).date() + timedelta(days=1)
        due = min(self.latest(zone, now).due + self.interval, first_instant(tomorrow, time(0), place))
        return _named(due, place)

    def at_or_after(self, zone: str, instant: datetime) -> Slot:
        """Return the first slot that is due at `instant` or later."""
        latest = self.latest(zone, instant)
        return latest if latest.due == instant else self.following(zone, instant)


def first_instant(day: date, at: time, place: ZoneInfo) -> datetime:
    """Return the first instant, UTC, at which a wall shows this time of this day, or has just skipped it."""
    wall = datetime.combine(day, at, place)
    found = wall.astimezone(UTC)
    if found.astimezone(place).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return found
    before, after = wall.replace(fold=1).astimezone(UTC), found  # a gap: the change lies between its two readings
    offset = after.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        before, after = (before, middle) if middle.astimezone(place).utcoffset() == offset else (middle, after)
    return after.replace(microsecond=0)


def _exists(day: date, place: ZoneInfo) -> bool:
    return first_instant(day, time(0), place).astimezone(place).date() == day


def _midnight(now: datetime, place: ZoneInfo) -> datetime:
    """Return when the wall's present day began."""
    return first_instant(now.astimezone(place).date(), time(0), place)


def _named(due: datetime, place: ZoneInfo) -> Slot:
    return Slot(due.astimezone(place).isoformat(timespec="minutes"), due)
