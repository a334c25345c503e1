"""When the demo's week is: around the next change of clocks in one of the clinics' zones."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

LOOK_AHEAD = timedelta(days=370)
"""Every zone with summer time changes its clocks within a year."""

LEAD_IN = timedelta(days=3)
"""The week opens three days before the change, so that visits lie on both sides of it."""


def next_change(zone: str, after: date) -> date | None:
    """Return the first day after `after` on which the zone's clocks change, or None within a year."""
    place = ZoneInfo(zone)

    def offset(day: date) -> timedelta | None:
        return datetime.combine(day, time(0), place).utcoffset()

    day = after + timedelta(days=1)
    while day - after <= LOOK_AHEAD:
        if offset(day) != offset(day + timedelta(days=1)):
            return day
        day += timedelta(days=1)
    return None


def first_day(zones: Iterable[str], after: date) -> date:
    """Return day 0 of the week: `LEAD_IN` before the soonest change that leaves day 0 after `after`.

    Without any change of clocks in any of the zones, day 0 is the day after tomorrow.
    """
    changes = [change for zone in zones if (change := next_change(zone, after + LEAD_IN + timedelta(days=1)))]
    return min(changes) - LEAD_IN if changes else after + timedelta(days=2)


def local(day: date, at: time, zone: str) -> datetime:
    """Return the instant of a wall time in a zone, in UTC."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)
