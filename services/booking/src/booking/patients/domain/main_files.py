"""Main-file numbers `FILE-YYYY-NNNNNN` (D2, D4)."""

import re
from collections.abc import Collection
from datetime import datetime
from zoneinfo import ZoneInfo

from booking.values.refusals import Refused

LAST = 999_999
_PATTERN = re.compile(r"FILE-[0-9]{4}-[0-9]{6}")


def year_of(now: datetime, organisation_zone: str) -> int:
    """Return the year of the number: the organisation's, not UTC's."""
    return now.astimezone(ZoneInfo(organisation_zone)).year


def number(year: int, ordinal: int) -> str:
    """Return the number of an ordinal from 1 to `LAST`."""
    return f"FILE-{year:04d}-{ordinal:06d}"


def year_in(written: str) -> int:
    """Return the year of a number."""
    return int(written[5:9])


def ordinal_in(written: str) -> int:
    """Return the ordinal of a number."""
    return int(written[10:])


def check(written: str, place: str) -> str:
    """Return a number issued upstream, if it fits."""
    if not _PATTERN.fullmatch(written):
        raise Refused("BAD_MAIN_FILE", "not of the form FILE-YYYY-NNNNNN", place)
    return written


def free_between(year: int, after: int, until: int, taken: Collection[str]) -> list[str]:
    """Return the numbers above the ordinal `after` and up to `until` that nobody has, lowest first."""
    candidates = (number(year, ordinal) for ordinal in range(after + 1, until + 1))
    return [candidate for candidate in candidates if candidate not in taken]


def exhausted() -> Refused:
    """Return the refusal of a year that has no number left: never a longer one (D2)."""
    return Refused("MAIN_FILE_EXHAUSTED", "all numbers of the year are issued")
