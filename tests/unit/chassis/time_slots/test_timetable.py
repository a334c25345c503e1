"""Slots hang on a wall: whatever is done to the clocks, each is there once."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from chassis.time_slots.timetable import Daily, Every, Slot, Timetable, first_instant

ZONES = (
    "Europe/London",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # half an hour
    "Africa/Cairo",  # at midnight
    "America/Havana",  # midnight comes twice
    "Asia/Kathmandu",
    "Pacific/Apia",
    "UTC",
)
EIGHT = Daily(time(8), time(10))
MINUTE = timedelta(minutes=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def run_through(timetable: Timetable, zone: str, start: datetime, days: int) -> list[Slot]:
    """Return the slots of some days, each found as the one that follows the one before."""
    slots, now = [], start
    while (slot := timetable.following(zone, now)).due < start + timedelta(days=days):
        slots.append(slot)
        now = slot.due
    return slots


@pytest.mark.parametrize("zone", ZONES)
def test_every_day_of_a_year_has_one_slot_at_eight_of_its_wall(zone: str) -> None:
    slots = run_through(EIGHT, zone, at("2026-01-01T00:00+00:00"), 365)

    walls = [slot.due.astimezone(ZoneInfo(zone)) for slot in slots]
    assert [wall.time() for wall in walls] == [time(8)] * 365
    assert [slot.name for slot in slots] == [f"{wall.date()}T08:00" for wall in walls]
    assert len({slot.name for slot in slots}) == 365
    assert all(slot.not_after == slot.due + timedelta(hours=2) for slot in slots)


@pytest.mark.parametrize("zone", ZONES[1:6:2])
@pytest.mark.parametrize("timetable", [EIGHT, Every(timedelta(hours=7))])
def test_latest_and_following_agree_at_every_edge(zone: str, timetable: Timetable) -> None:
    slots = run_through(timetable, zone, at("2026-01-01T00:00+00:00"), 365)

    for one, after in pairwise(slots):
        assert timetable.latest(zone, one.due) == one
        assert timetable.latest(zone, after.due - timedelta(microseconds=1)) == one
        assert timetable.following(zone, after.due - timedelta(microseconds=1)) == after
    assert len({slot.name for slot in slots}) == len(slots)


@pytest.mark.parametrize(
    ("zone", "wall", "due"),
    [
        ("Europe/London", "2026-03-29T01:30", "2026-03-29T01:00+00:00"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00+00:00"),
        ("America/New_York", "2026-03-08T02:59", "2026-03-08T07:00+00:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30+00:00"),
        ("Africa/Cairo", "2026-04-24T00:00", "2026-04-23T22:00+00:00"),
    ],
)
def test_a_time_that_the_clocks_skip_is_when_the_gap_ends(zone: str, wall: str, due: str) -> None:
    written = datetime.fromisoformat(wall)

    slot = Daily(written.time()).latest(zone, at(due))

    assert (slot.name, slot.due) == (wall, at(due))


@pytest.mark.parametrize(
    ("zone", "wall", "due"),
    [
        ("Europe/London", "2026-10-25T01:30", "2026-10-25T00:30+00:00"),
        ("America/New_York", "2026-11-01T01:00", "2026-11-01T05:00+00:00"),
        ("America/Havana", "2026-11-01T00:00", "2026-11-01T04:00+00:00"),
    ],
)
def test_a_time_that_comes_twice_is_one_slot_at_the_first(zone: str, wall: str, due: str) -> None:
    daily = Daily(datetime.fromisoformat(wall).time())

    assert daily.latest(zone, at(due)) == Slot(wall, at(due))
    assert daily.latest(zone, at(due) + timedelta(hours=1)).name == wall


def test_a_date_that_the_wall_skips_has_no_slot() -> None:
    slots = run_through(EIGHT, "Pacific/Apia", at("2011-12-28T00:00+00:00"), 5)

    assert "2011-12-30T08:00" not in {slot.name for slot in slots}
    assert {"2011-12-29T08:00", "2011-12-31T08:00"} < {slot.name for slot in slots}


def test_two_hours_are_elapsed_time_so_a_short_day_has_a_short_last_slot_and_a_long_day_one_more() -> None:
    def walls(day: str) -> list[str]:
        start = first_instant(date.fromisoformat(day), time(0), ZoneInfo("Europe/Berlin")) - MINUTE
        slots = run_through(Every(timedelta(hours=2)), "Europe/Berlin", start, 2)
        return [slot.name[11:] for slot in slots if slot.name.startswith(day)]

    assert walls("2026-03-28") == [f"{hour:02}:00+01:00" for hour in range(0, 24, 2)]
    assert walls("2026-03-29") == ["00:00+01:00", *(f"{hour:02}:00+02:00" for hour in range(3, 24, 2))]
    assert walls("2026-10-25") == ["00:00+02:00", "02:00+02:00", *(f"{hour:02}:00+01:00" for hour in range(3, 24, 2))]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("timetable", [EIGHT, Every(timedelta(hours=2))])
def test_a_clock_that_is_put_five_minutes_forth_or_back_shows_no_slot_under_a_new_name(
    zone: str, timetable: Timetable
) -> None:
    for slot in run_through(timetable, zone, at("2026-03-27T00:00+00:00"), 4):
        for shown in (slot.due + 5 * MINUTE, slot.due, slot.due + 4 * MINUTE):
            assert timetable.latest(zone, shown) == slot
        assert timetable.following(zone, slot.due - 5 * MINUTE) == slot


def test_a_slot_runs_late_until_its_end_and_no_longer() -> None:
    slot = EIGHT.latest("Europe/London", at("2026-06-01T09:30+01:00"))

    assert not slot.is_too_late(at("2026-06-01T10:00+01:00"))
    assert slot.is_too_late(at("2026-06-01T10:00:01+01:00"))
    assert not Every(timedelta(hours=2)).latest("Europe/London", slot.due).is_too_late(slot.due + timedelta(days=9))


def test_the_slot_at_or_after_an_instant_is_the_instants_own_if_it_is_one() -> None:
    every = Every(timedelta(hours=2))

    assert every.at_or_after("UTC", at("2026-06-01T10:00+00:00")).due == at("2026-06-01T10:00+00:00")
    assert every.at_or_after("UTC", at("2026-06-01T10:00:01+00:00")).due == at("2026-06-01T12:00+00:00")


@pytest.mark.parametrize("interval", [timedelta(), timedelta(hours=25)])
def test_an_interval_is_at_most_a_day(interval: timedelta) -> None:
    with pytest.raises(ValueError, match="interval"):
        Every(interval)


def test_a_daily_slot_ends_on_its_day() -> None:
    with pytest.raises(ValueError, match="on the day"):
        Daily(time(8), time(7))
