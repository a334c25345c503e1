"""When a row's visit is: by the formats that the source's profile names, else by ISO 8601."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from booking.profiles.csv_knobs import CsvProfile
from booking.values.refusals import Refused
from booking.values.times import FIRST_YEAR, LAST_YEAR, of_any_wall_time
from booking.values.warned import Warned

_LONGEST = timedelta(days=7)


class Walls(NamedTuple):
    """How a file's times are read.

    Attributes:
        zone: Of times without offset; None: nobody knows it.
        formats: Of strptime; none: ISO 8601.
    """

    zone: ZoneInfo | None
    formats: Sequence[str]


def instant(written: str, walls: Walls, place: str, warnings: list[Warned]) -> datetime:
    """Return the instant, in UTC, of a date and time; without an offset it is wall time.

    Args:
        warnings: Takes SKIPPED_HOUR and DOUBLED_HOUR.

    Raises:
        Refused: BAD_TIME, NAIVE_TIME, TIME_OUT_OF_RANGE.
    """
    return _there(_read(written, walls.formats, place), walls.zone, place, warnings)


def of_parts(day: str, hour: str, walls: Walls, places: tuple[str, str], warnings: list[Warned]) -> datetime:
    """Return the instant, in UTC, of a day in one column and an hour in another, as `instant` does."""
    if not hour:
        raise Refused("BAD_TIME", "a day alone is no time: say the hour", places[1])
    found = datetime.combine(_day(day, walls.formats, places[0]), _hour(hour, walls.formats, places[1]))
    return _there(found, walls.zone, places[0], warnings)


def length_of(written: str, knobs: CsvProfile, place: str) -> timedelta:
    """Return a visit's length.

    Raises:
        Refused: BAD_DURATION.
    """
    try:
        number = float(written.replace(",", "."))
        found = timedelta(**{knobs.duration_unit: number})
    except (ValueError, OverflowError):
        found = timedelta()
    if not timedelta() < found <= _LONGEST:
        raise Refused("BAD_DURATION", f"a number of {knobs.duration_unit} above 0, of at most a week", place)
    return found


def _there(found: datetime, zone: ZoneInfo | None, place: str, warnings: list[Warned]) -> datetime:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", place)
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if zone is None:
        raise Refused("NAIVE_TIME", "name the zone of this wall time in the source's profile", place)
    return of_any_wall_time(found, zone, place, warnings)


def _read(written: str, formats: Sequence[str], place: str) -> datetime:
    found = _by(written, formats)
    if found is None and not formats:
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            found = None
        if found is not None and ":" not in written and len(written) < len("20270312 1015"):
            raise Refused("BAD_TIME", "a day alone is no time: say the hour", place)
    if found is None:
        raise _unreadable(formats, place)
    return found


def _day(written: str, formats: Sequence[str], place: str) -> date:
    found = _by(written, formats)
    if found is None:
        try:
            found = datetime.fromisoformat(written)
        except ValueError:
            raise _unreadable(formats, place) from None
    return found.date()


def _hour(written: str, formats: Sequence[str], place: str) -> time:
    found = _by(written, formats)
    if found is not None:
        return found.time()
    try:
        return time.fromisoformat(written)
    except ValueError:
        raise _unreadable(formats, place) from None


def _by(written: str, formats: Sequence[str]) -> datetime | None:
    for one in formats:
        try:
            return datetime.strptime(written, one)  # noqa: DTZ007  # a wall's, or with its own offset
        except ValueError:
            continue
    return None


def _unreadable(formats: Sequence[str], place: str) -> Refused:
    text = "in none of the formats of the source's profile (csv.date_format)"
    iso = "not ISO 8601: say in the source's profile how it is written (csv.date_format), as %d/%m/%Y %H:%M"
    return Refused("BAD_TIME", text if formats else iso, place)
