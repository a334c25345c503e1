"""Whether a FHIR Period contains a moment. Its dates are UTC's, both its ends belong to it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

FOR_EVER = datetime.max.replace(tzinfo=UTC)


def is_current(period: Any, now: datetime) -> bool:
    """Say whether a Period contains `now`; none is for ever."""
    return period is None or not (is_over(period, now) or (period.start and begins(period.start) > now))


def is_over(period: Any, now: datetime) -> bool:
    """Say whether a Period has ended."""
    return period is not None and bool(period.end) and ends(period.end) <= now


def begins(at: Any) -> datetime:
    """Return the first instant of a FHIR dateTime, which may be a year, a month or a day: `2020`, `2020-05`."""
    if isinstance(at, datetime):
        return at
    year, month, day = (*(int(part) for part in str(at).split("-")), 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC)


def ends(at: Any) -> datetime:
    """Return the first instant after a FHIR dateTime; of the last there are, as `9999-12-31`, the last instant."""
    try:
        return _after(at, begins(at))
    except OverflowError:
        return FOR_EVER


def _after(at: Any, first: datetime) -> datetime:
    if isinstance(at, datetime):
        return first + timedelta(microseconds=1)
    if isinstance(at, date):
        return first + timedelta(days=1)
    of_year = first + timedelta(days=366)
    of_month = first + timedelta(days=31)
    return of_month.replace(day=1) if "-" in str(at) else of_year.replace(month=1, day=1)
