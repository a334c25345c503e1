"""Times as HL7 v2 writes them, `YYYY[MM[DD[HH[MM[SS[.S]]]]]][±ZZZZ]`, in every precision, and as its senders do."""

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Literal
from zoneinfo import ZoneInfo

from booking.values.refusals import Refused
from booking.values.times import FIRST_YEAR, LAST_YEAR, of_any_wall_time, of_wall_time
from booking.values.warned import Warned

_OFFSET = r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)?"
_TIME = r"(?P<hour>\d\d)(?:{0}(?P<minute>\d\d)(?:{0}(?P<second>\d\d)(?:[.,](?P<fraction>\d{{1,9}}))?)?)?"
_DTM = re.compile(
    rf"(?P<year>\d{{4}})(?:(?P<month>\d\d)(?:(?P<day>\d\d)(?:{_TIME.format('')}(?:00)?)?)?)? ?{_OFFSET}", re.ASCII
)
"""With two zeros behind the seconds too, as some write their hundredths without a point."""
_ISO = re.compile(
    rf"(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?:[T ]{_TIME.format(':')})? ?{_OFFSET}", re.ASCII | re.IGNORECASE
)
_FURTHEST_OFFSET = timedelta(hours=18)

DateOnly = Literal["refuse", "midnight"]
Gap = Literal["later", "refuse"]


def instant(
    written: str,
    zone: ZoneInfo | None,
    place: str,
    *,
    date_only: DateOnly = "refuse",
    gap: Gap = "later",
    warnings: list[Warned] | None = None,
) -> datetime:
    """Return the instant, in UTC, that is written: of an hour without minutes its beginning, of hour 24 the next day.

    Args:
        zone: Of wall time, which has no offset; None refuses it. Of an hour that the clocks show twice the first is
            meant.
        date_only: What becomes of a day without an hour.
        gap: What becomes of an hour over which the clocks jump: `later` takes it as much later as they jump.
        warnings: Takes SKIPPED_HOUR and DOUBLED_HOUR.

    Raises:
        Refused: BAD_TIME, NAIVE_TIME, TIME_OUT_OF_RANGE, START_IN_SPRING_GAP.
    """
    found = _found(written)
    if found is None or found["day"] is None:
        raise Refused("BAD_TIME", "not a time of HL7 such as 202703121015, with its day", place)
    if found["hour"] is None and date_only == "refuse":
        raise Refused("BAD_TIME", "a day alone is no time: say the hour, or let the profile take midnight", place)
    wall = _wall_time(found, place)
    if found["offset"]:
        return wall.replace(tzinfo=_offset(found["offset"], place)).astimezone(UTC)
    if zone is None:
        raise Refused("NAIVE_TIME", "send an offset, or name the zone of this wall time in the profile", place)
    return _there(wall, zone, place, gap, [] if warnings is None else warnings)


def day(written: str, place: str = "") -> date:
    """Return the day of the calendar that is written, whatever time follows it.

    Raises:
        Refused: BAD_DAY, TIME_OUT_OF_RANGE.
    """
    found = _found(written)
    try:
        if found is not None and found["day"] is not None:
            _check_year(int(found["year"]), place)
            return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError as error:
        if isinstance(error, Refused):
            raise
    raise Refused("BAD_DAY", "not a day of HL7 such as 20270312", place)


def has_offset(written: str) -> bool:
    """Say whether a time that is written says how far it is from UTC."""
    found = _found(written)
    return found is not None and bool(found["offset"])


def _found(written: str) -> re.Match[str] | None:
    """Match the first component that is there: some senders leave it empty, or add another precision after it."""
    first = next((one for one in map(str.strip, written.split("^")) if one), "")
    return _DTM.fullmatch(first) or _ISO.fullmatch(first)


def _wall_time(found: re.Match[str], place: str) -> datetime:
    year, month, on, hour, minute, second = (
        int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    )
    _check_year(year, place)
    micros = int((found["fraction"] or "").ljust(6, "0")[:6])
    is_midnight = hour == 24 and not minute and not second and not micros
    try:
        at = datetime.combine(date(year, month, on), time(0 if is_midnight else hour, minute, second, micros))
    except ValueError:
        raise Refused("BAD_TIME", "no such day or hour in the calendar", place) from None
    return at + timedelta(days=is_midnight)


def _check_year(year: int, place: str) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Refused("TIME_OUT_OF_RANGE", f"not within the years {FIRST_YEAR} to {LAST_YEAR}", place)


def _offset(written: str, place: str) -> timezone:
    if written in {"Z", "z"}:
        return UTC
    digits = written[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    ahead = timedelta(hours=hours, minutes=minutes)
    if minutes > 59 or ahead > _FURTHEST_OFFSET:
        raise Refused("BAD_TIME", "no offset such as +0100", place)
    return timezone(-ahead if written[0] == "-" else ahead)


def _there(wall: datetime, zone: ZoneInfo, place: str, gap: Gap, warnings: list[Warned]) -> datetime:
    return of_wall_time(wall, zone, place) if gap == "refuse" else of_any_wall_time(wall, zone, place, warnings)
