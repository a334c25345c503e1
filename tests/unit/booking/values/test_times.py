"""Written times (D12, R16)."""

from datetime import UTC, datetime

import pytest
from babel.core import get_global

from booking.values.refusals import Refused
from booking.values.times import instant, wall_time, zone_of


def test_a_time_with_an_offset_is_that_instant_whatever_the_zone() -> None:
    assert instant("2027-03-12T10:00:00+02:00", "America/New_York", "start") == datetime(2027, 3, 12, 8, tzinfo=UTC)


def test_d12_a_time_without_an_offset_is_wall_time_in_the_zone() -> None:
    assert instant("2027-07-12T10:00", "Europe/London", "start") == datetime(2027, 7, 12, 9, tzinfo=UTC)


def test_d12_a_local_time_that_occurs_twice_is_the_first() -> None:
    assert instant("2026-10-25T01:30", "Europe/London", "start") == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_d12_a_local_time_that_does_not_occur_is_refused() -> None:
    with pytest.raises(Refused, match="START_IN_SPRING_GAP"):
        instant("2027-03-28T01:30", "Europe/London", "start")


def test_d12_with_an_offset_a_time_within_the_gap_is_an_instant() -> None:
    assert instant("2027-03-28T01:30+00:00", "Europe/London", "start") == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("GMT", "GMT"),
        ("est", "EST"),
        ("JAPAN", "Japan"),
        ("europe/london", "Europe/London"),
        ("America/argentina/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("gmt standard time", "Europe/London"),
        ("UTC-11", "Etc/GMT+11"),
    ],
)
def test_a_zone_is_any_name_of_the_list_or_of_windows_in_the_lists_spelling(name: str, spelling: str) -> None:
    assert zone_of(name).key == spelling


def test_each_windows_zone_is_one_of_the_list() -> None:
    assert [name for name, zone in get_global("windows_zone_mapping").items() if zone_of(name).key != zone] == []


@pytest.mark.parametrize(
    ("written", "zone", "code"),
    [
        ("2027-03-12T10:00", None, "NAIVE_TIME"),
        ("2027-03-12T10:00", "Mars/Base", "UNKNOWN_ZONE"),
        ("2027-03-12T10:00", "../etc/passwd", "UNKNOWN_ZONE"),
        ("2027-03-12T10:00", "W. Mars Standard Time", "UNKNOWN_ZONE"),
        ("9999-03-12T10:00Z", None, "TIME_OUT_OF_RANGE"),
        ("0001-01-01T00:00Z", None, "TIME_OUT_OF_RANGE"),
        ("2027-02-30T10:00Z", None, "BAD_TIME"),
        ("tomorrow", None, "BAD_TIME"),
        ("2027-03-12", None, "BAD_TIME"),
    ],
)
def test_what_is_no_time_is_refused(written: str, zone: str | None, code: str) -> None:
    with pytest.raises(Refused) as caught:
        instant(written, zone, "start")
    assert caught.value.code == code
    assert written not in str(caught.value)


def test_wall_time_is_what_the_clock_at_the_clinic_shows() -> None:
    assert wall_time(datetime(2027, 7, 12, 9, tzinfo=UTC), "Europe/London").isoformat() == "2027-07-12T10:00:00"
