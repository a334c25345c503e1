"""When a row's visit is: by the formats that the source's profile names, else as can mean one day alone."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from booking.formats.separated import written as texts
from booking.formats.separated.written import Written
from booking.profiles.csv_knobs import CsvProfile
from booking.values.refusals import Refused
from booking.values.times import FIRST_YEAR, LAST_YEAR, of_any_wall_time
from booking.values.warned import Warned

_LONGEST = timedelta(days=7)
_MOST_MINUTES = 480
"""A number without a unit that is more is of seconds, as in HL7 v2."""


class Walls(NamedTuple):
    """How a file's times are read.

    Attributes:
        zone: Of times without offset; None: nobody knows it.
        formats: Of strptime; none: ISO 8601, and what means one day alone.
        is_day_first: Of dates of slashes, as other dates of the file prove; None: none does.
    """

    zone: ZoneInfo | None
    formats: Sequence[str] = ()
    is_day_first: bool | None = None


def instant(written: str, walls: Walls, place: str, warnings: list[Warned]) -> datetime:
    """Return the instant, in UTC, of a date and time; without an offset it is wall time.

    Args:
        warnings: Takes SKIPPED_HOUR and DOUBLED_HOUR.

    Raises:
        Refused: BAD_TIME, NAIVE_TIME, TIME_OUT_OF_RANGE.
    """
    found = _read(written, walls, place)
    if found.hour is None:
        raise Refused("BAD_TIME", "a day alone is no time: say the hour", place)
    return _there(datetime.combine(_day(found, place), found.hour), walls.zone, place, warnings)


def of_parts(day: str, hour: str, walls: Walls, places: tuple[str, str], warnings: list[Warned]) -> datetime:
    """Return the instant, in UTC, of a day in one column and an hour in another, as `instant` does."""
    at = _read(hour, walls, places[1]).hour
    if at is None:
        raise Refused("BAD_TIME", "a day alone is no time: say the hour", places[1])
    found = datetime.combine(_day(_read(day, walls, places[0]), places[0]), at)
    return _there(found, walls.zone, places[0], warnings)


def has_hour(written: str, walls: Walls, place: str) -> bool:
    """Say whether a text tells an hour, and not a day alone.

    Raises:
        Refused: BAD_TIME: it cannot be read.
    """
    return _read(written, walls, place).hour is not None


def has_day(written: str, walls: Walls, place: str) -> bool:
    """Say whether a text tells a day, and not an hour alone, as with a spreadsheet's first day: 1899-12-30 10:00.

    Raises:
        Refused: BAD_TIME: it cannot be read.
    """
    found = _read(written, walls, place)
    return found.is_either or (found.day is not None and found.day.year > FIRST_YEAR)


def is_day(written: str) -> bool:
    """Say whether a text is a date, whichever; as a column has it that says when something was done."""
    found = _iso(written) or texts.read(written, is_day_first=True)
    return found is not None and found.day is not None


def length_of(written: str, knobs: CsvProfile, place: str) -> timedelta:
    """Return a visit's length.

    Raises:
        Refused: BAD_DURATION.
    """
    found = texts.length(written)
    if found is None:
        try:
            number = float(written.replace(",", "."))
            is_of_seconds = knobs.duration_unit == "seconds" or (
                knobs.duration_unit == "auto" and number > _MOST_MINUTES
            )
            found = timedelta(seconds=number) if is_of_seconds else timedelta(minutes=number)
        except (ValueError, OverflowError):
            found = timedelta()
    if not timedelta() < found <= _LONGEST:
        raise Refused("BAD_DURATION", "a length above 0, of at most a week, as 30, 0:30 or 30 min", place)
    return found


def _there(found: datetime, zone: ZoneInfo | None, place: str, warnings: list[Warned]) -> datetime:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", place)
    if found.tzinfo is not None:
        return found.astimezone(UTC)
    if zone is None:
        raise Refused("NAIVE_TIME", "name the zone of this wall time in the source's profile (zone)", place)
    return of_any_wall_time(found, zone, place, warnings)


def _day(found: Written, place: str) -> date:
    if found.is_either:
        text = "either number may be the month: say in the source's profile which (csv.date_format), as %d/%m/%Y %H:%M"
        raise Refused("BAD_TIME", text, place)
    if found.day is None:
        raise Refused("BAD_TIME", "an hour alone is no time: say the day", place)
    return found.day


def _read(written: str, walls: Walls, place: str) -> Written:
    for one in walls.formats:
        try:
            found = datetime.strptime(written, one)  # noqa: DTZ007  # a wall's, or with its own offset
        except ValueError:
            continue
        return Written(
            found.date() if _tells(one, _OF_DAYS) else None, found.timetz() if _tells(one, _OF_HOURS) else None
        )
    told = _iso(written)
    if (
        walls.formats
        and told is not None
        and told.day is not None
        and any(_tells(one, _OF_DAYS) for one in walls.formats)
    ):
        told = None
    if told is None and not walls.formats:
        told = texts.read(written, is_day_first=walls.is_day_first)
    if told is None:
        raise _unreadable(walls.formats, place)
    return told


_OF_HOURS, _OF_DAYS = ("%H", "%I", "%c", "%X"), ("%d", "%j", "%c", "%x")


def _tells(format_: str, directives: Sequence[str]) -> bool:
    return any(directive in format_ for directive in directives)


def _iso(written: str) -> Written | None:
    try:
        found = datetime.fromisoformat(written)
    except ValueError:
        try:
            return Written(hour=time.fromisoformat(written))
        except ValueError:
            return None
    is_day = ":" not in written and len(written) < len("20270312 1015")
    return Written(found.date(), None if is_day else found.timetz())


def _unreadable(formats: Sequence[str], place: str) -> Refused:
    text = "in none of the formats of the source's profile (csv.date_format)"
    iso = (
        "not written as any date known here: say in the source's profile how it is (csv.date_format), as %d/%m/%Y %H:%M"
    )
    return Refused("BAD_TIME", text if formats else iso, place)
