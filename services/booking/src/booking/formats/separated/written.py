"""Days and hours as exports write them, where they can mean one day and one hour alone."""

import re
from collections.abc import Iterable
from datetime import UTC, date, time, timedelta, timezone, tzinfo
from typing import NamedTuple

_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?!\d)|(\d{4})(\d\d)(\d\d)(?!\d)", re.ASCII)
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_DAY_MONTH = re.compile(
    r"(\d{1,2})(?:st|nd|rd|th)?[-\s]([a-z]{3,9})\.?[-,\s]\s*(\d{4})(?!\d)", re.IGNORECASE | re.ASCII
)
_MONTH_DAY = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)", re.IGNORECASE | re.ASCII)
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            *("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august"),
            *("sep sept september", "oct october", "nov november", "dec december"),
        ),
        1,
    )
    for name in names.split()
}
_BETWEEN = re.compile(r"[\s,T]+(?:at\s+)?", re.IGNORECASE)
_HOUR = re.compile(
    r"(\d{1,2})(?:(?:[:.h](\d\d)(?:[:.](\d\d)(?:[.,]\d{1,9})?)?|(\d\d)))?"
    r"(?:\s*([ap])\.?\s?m\.?)?(?:\s*(z|utc|gmt|[-+]\d\d:?\d\d))?",
    re.IGNORECASE | re.ASCII,
)
_OF_HALF_A_DAY = 12
_MONTHS_OF_A_YEAR = 12


class Written(NamedTuple):
    """What a text says of a time.

    Attributes:
        day: None: it says an hour alone.
        hour: None: it says a day alone.
        is_either: It is a day of two readings, and nothing says which is meant; neither is told.
    """

    day: date | None = None
    hour: time | None = None
    is_either: bool = False


def day_first(texts: Iterable[str]) -> bool | None:
    """Return whether dates of one file name the day first: by those that can be read one way; None: nothing says so."""
    found = set[bool]()
    for text in texts:
        numbers = _NUMBERS.match(text)
        if numbers is not None and numbers[2] != ".":
            first, second = int(numbers[1]), int(numbers[3])
            if max(first, second) > _MONTHS_OF_A_YEAR:
                found.add(first > second)
    return found.pop() if len(found) == 1 else None


def read(text: str, *, is_day_first: bool | None) -> Written | None:
    """Return what a text says; None: nothing that is known here.

    Args:
        is_day_first: Of a date that has two readings; None: nobody knows.
    """
    text = text[found.end() :] if (found := _WEEKDAY.match(text)) else text
    day, end = _day(text, is_day_first)
    if end == 0:
        hour = _hour(text)
        return None if hour is None else Written(hour=hour)
    rest = text[end:]
    between = _BETWEEN.match(rest)
    if rest and between is None:
        return None
    hour = _hour(rest[between.end() :]) if between is not None else None
    if between is not None and hour is None:
        return None
    return Written(day, hour, is_either=day is None)


def _day(text: str, is_day_first: bool | None) -> tuple[date | None, int]:
    """Return the day at a text's beginning and where it ends; (None, 0): there is none, None alone: of two readings."""
    try:
        if found := _YEAR_FIRST.match(text):
            year, month, day = found.group(1, 3, 4) if found[1] else found.group(5, 6, 7)
            return date(int(year), int(month), int(day)), found.end()
        if found := _NUMBERS.match(text):
            order = True if found[2] == "." else is_day_first
            return _by_order(int(found[1]), int(found[3]), int(found[4]), order), found.end()
        if (found := _DAY_MONTH.match(text)) and (month_ := _MONTHS.get(found[2].lower())):
            return date(int(found[3]), month_, int(found[1])), found.end()
        if (found := _MONTH_DAY.match(text)) and (month_ := _MONTHS.get(found[1].lower())):
            return date(int(found[3]), month_, int(found[2])), found.end()
    except ValueError:
        pass
    return None, 0


def _by_order(first: int, second: int, year: int, is_day_first: bool | None) -> date | None:
    if max(first, second) <= _MONTHS_OF_A_YEAR and first != second:
        if is_day_first is None:
            return None
        return date(year, second, first) if is_day_first else date(year, first, second)
    return date(year, min(first, second), max(first, second))


def _hour(text: str) -> time | None:
    found = _HOUR.fullmatch(text.strip())
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2] or found[4] or 0), int(found[3] or 0)
    if found[5] is None and not (found[2] or found[4]):
        return None
    if found[5] is not None:
        if not 1 <= hour <= _OF_HALF_A_DAY:
            return None
        hour = hour % _OF_HALF_A_DAY + _OF_HALF_A_DAY * (found[5] in "pP")
    try:
        return time(hour, minute, second, tzinfo=_offset(found[6]))
    except ValueError:
        return None


def _offset(written: str | None) -> tzinfo | None:
    if written is None:
        return None
    if written[0] not in "+-":
        return UTC
    hours, minutes = int(written[1:3]), int(written[-2:])
    return timezone((1 if written[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))


_LENGTH = re.compile(
    r"(?:(\d+(?:[.,]\d+)?)\s*h(?:ou)?r?s?\b\.?)?\s*(?:(\d+(?:[.,]\d+)?)\s*m(?:in(?:ute)?s?)?\b\.?)?",
    re.IGNORECASE | re.ASCII,
)
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)


def length(text: str) -> timedelta | None:
    """Return a length that is written with its units, as `0:30`, `45 min`, `1h 15m`; None: it is not."""
    if found := _CLOCK.fullmatch(text):
        return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0))
    found = _LENGTH.fullmatch(text)
    if found is None or not any(found.groups()):
        return None
    hours, minutes = (float((part or "0").replace(",", ".")) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes)
