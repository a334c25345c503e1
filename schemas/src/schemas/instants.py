"""Instants as whole microseconds since 1970 in UTC, in which planning and the timers reckon: exact, small and fast."""

from datetime import UTC, datetime, timedelta

HOUR = 3_600_000_000
"""In microseconds."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(instant: datetime) -> int:
    """Return an aware instant as microseconds since 1970, exactly."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the aware UTC instant of `micros`."""
    return _EPOCH + timedelta(microseconds=value)
