"""The independent model of who did not come."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from stack.demo.attendance import next_look, statuses_at
from stack.demo.changes import Change
from tests.unit.demo.test_expectation import BOOKED, START

LATER = START + timedelta(days=1)


def status(*changes: Change, until: datetime = LATER) -> str:
    ((_, found),) = statuses_at(changes, until)
    return found


def test_a_visit_still_booked_at_the_first_look_after_its_end_and_half_an_hour_is_a_no_show() -> None:
    assert status(BOOKED) == "noshow"  # 14:00 to 14:30, looked at 16:00
    assert status(BOOKED, until=START + timedelta(hours=2)) == "noshow"
    assert status(BOOKED, until=START + timedelta(minutes=119)) == "booked"


def test_who_came_cancelled_or_was_told_of_afterwards_is_none() -> None:
    assert status(BOOKED, BOOKED.then(START, "came", status="arrived")) == "arrived"
    assert status(BOOKED, BOOKED.then(BOOKED.at + timedelta(hours=1), "no", status="cancelled")) == "cancelled"
    assert status(BOOKED.then(START + timedelta(hours=1), "late"), until=LATER) == "booked"
    assert statuses_at([BOOKED.then(START, "old", answer="stale")], LATER) == Counter()


@pytest.mark.parametrize(
    ("zone", "instant", "look"),
    [
        ("Europe/London", "2027-03-26T12:00", "2027-03-26T12:00"),
        ("Europe/London", "2027-03-26T12:01", "2027-03-26T14:00"),
        ("Europe/London", "2027-03-28T09:00", "2027-03-28T10:00"),  # 10:00 in summer time is nine hours after midnight
        ("Asia/Tokyo", "2027-03-28T14:30", "2027-03-28T15:00"),  # midnight
    ],
)
def test_looks_are_every_two_hours_from_the_clinics_midnight(zone: str, instant: str, look: str) -> None:
    at = datetime.fromisoformat(instant).replace(tzinfo=UTC)

    assert next_look(at, zone) == datetime.fromisoformat(look).replace(tzinfo=UTC)
