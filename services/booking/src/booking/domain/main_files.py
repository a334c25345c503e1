"""Main-file numbers `FILE-YYYY-NNNNNN` (D2, D4)."""

import re
from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from booking.domain.refusals import Refused

LAST = 999_999
_PATTERN = re.compile(r"FILE-[0-9]{4}-[0-9]{6}")


def year_of(now: datetime, organisation_zone: str) -> int:
    """Return the year of the number: the organisation's, not UTC's."""
    return now.astimezone(ZoneInfo(organisation_zone)).year


def number(year: int, ordinal: int) -> str:
    """Return the number.

    Raises:
        Refused: MAIN_FILE_EXHAUSTED: the year has no number left (D2: never a longer one).
    """
    if ordinal > LAST:
        raise Refused("MAIN_FILE_EXHAUSTED", f"all numbers of {year} are issued")
    return f"FILE-{year:04d}-{ordinal:06d}"


def check(written: str, place: str) -> str:
    """Return a number issued upstream, if it fits.

    Raises:
        Refused: BAD_MAIN_FILE.
    """
    if not _PATTERN.fullmatch(written):
        raise Refused("BAD_MAIN_FILE", "not of the form FILE-YYYY-NNNNNN", place)
    return written


def next_free(year: int, last: int, wanted: int, taken: Collection[str]) -> tuple[Sequence[str], int]:
    """Return the `wanted` next numbers after `last` that upstream has not taken, and the new last.

    Raises:
        Refused: MAIN_FILE_EXHAUSTED.
    """
    found: list[str] = []
    while len(found) < wanted:
        last += 1
        candidate = number(year, last)
        if candidate not in taken:
            found.append(candidate)
    return found, last
