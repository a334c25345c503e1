"""From written times to instants (D12, R16)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import get_global

from booking.values.refusals import Refused
from booking.values.warned import DOUBLED_HOUR, SKIPPED_HOUR, Warned
from schemas import zones

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Visits outside are typing errors; year 9999 is how some systems say "never"."""


def zone_of(name: str, place: str = "appointment.zone") -> ZoneInfo:
    """Return the zone of a name of the IANA list or, by CLDR's table, of Windows; letters in any case.

    Raises:
        Refused: UNKNOWN_ZONE.
    """
    try:
        return zones.zone_of(_windows_zones().get(name.casefold(), name))
    except zones.UnknownZone:
        message = "not a zone of the IANA list, such as Europe/London, or of Windows"
        raise Refused("UNKNOWN_ZONE", message, place) from None


@lru_cache(1)
def _windows_zones() -> Mapping[str, str]:
    return {name.casefold(): zone for name, zone in get_global("windows_zone_mapping").items()}


def instant(written: str, zone: str | None, place: str) -> datetime:
    """Return the instant, in UTC, of an ISO 8601 date and time.

    With an offset it is that instant. Without one it is wall time in `zone`: the first of two if the
    clocks are put back over it, refused if they are put forward over it.

    Raises:
        Refused: BAD_TIME, NAIVE_TIME, START_IN_SPRING_GAP, UNKNOWN_ZONE, TIME_OUT_OF_RANGE.
    """
    try:
        time = datetime.fromisoformat(written)
    except ValueError:
        raise Refused("BAD_TIME", "not an ISO 8601 date and time", place) from None
    if len(written) < len("2026-01-01T00:00"):
        raise Refused("BAD_TIME", "a date alone is no date and time", place)
    if not FIRST_YEAR <= time.year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", place)
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    if zone is None:
        raise Refused("NAIVE_TIME", "give an offset, or the zone of this wall time", place)
    return of_wall_time(time, zone_of(zone), place)


def of_wall_time(time: datetime, zone: ZoneInfo, place: str) -> datetime:
    """Return the instant, in UTC, at which the wall says so: the first of two.

    Raises:
        Refused: START_IN_SPRING_GAP: the clocks are put forward over it.
    """
    there = time.replace(tzinfo=zone, fold=0)
    found = there.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) != time:
        message = "the clocks are put forward over this local time; give another, or an offset"
        raise Refused("START_IN_SPRING_GAP", message, place)
    return found


def of_any_wall_time(time: datetime, zone: ZoneInfo, place: str, warnings: list[Warned]) -> datetime:
    """Return the instant, in UTC, at which the wall says so, of any time: as much later as the clocks jump over it.

    Args:
        warnings: Takes SKIPPED_HOUR, and DOUBLED_HOUR of a time that the clocks show twice: the first is meant.
    """
    there = time.replace(tzinfo=zone, fold=0)
    found = there.astimezone(UTC)
    if there.utcoffset() != there.replace(fold=1).utcoffset():
        is_doubled = found.astimezone(zone).replace(tzinfo=None) == time
        warnings.append(Warned(DOUBLED_HOUR if is_doubled else SKIPPED_HOUR, place))
    return found


@lru_cache(maxsize=65_536)
def wall_time(at: datetime, zone: str) -> datetime:
    """Return the naive wall time of an instant in a zone."""
    return at.astimezone(zone_of(zone)).replace(tzinfo=None)


def day_at(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return when a day of the calendar begins in a zone, and when the next one does, in UTC."""
    there = zone_of(zone)
    first, next_ = (datetime.combine(one, time(), there).astimezone(UTC) for one in (day, day + timedelta(days=1)))
    return first, next_


def calendar_day(written: str, place: str) -> date:
    """Return a day of the calendar, `YYYY-MM-DD`.

    Raises:
        Refused: BAD_DAY, TIME_OUT_OF_RANGE.
    """
    try:
        found = date.fromisoformat(written)
    except ValueError:
        found = None
    if found is None or found.isoformat() != written:
        raise Refused("BAD_DAY", "not a day such as 2027-03-12", place)
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", place)
    return found


def local_time(written: str, place: str) -> time:
    """Return a time of day, `HH:MM`."""
    try:
        found = time.fromisoformat(written)
    except ValueError:
        raise Refused("BAD_TIME", "not a time of day such as 07:00", place) from None
    if found.tzinfo is not None:
        raise Refused("BAD_TIME", "a time of day at the clinic has no offset", place)
    return found
