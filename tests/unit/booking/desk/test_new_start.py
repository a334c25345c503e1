"""A move keeps to the clock at the clinic, whatever the clocks are put to in between (0049)."""

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from booking.appointments.domain.command import SeenAtDesk
from booking.desk.domain import NOWHERE, Act, Order, Shift, Visit, Wish, command_for, new_start
from booking.values.refusals import Refused
from booking.values.times import calendar_day, day_at
from schemas.appointments import Bar, Status
from tests.support.booking.builders import ANN, LOCAL, NOW, START, VISIT

WHO = UUID(int=9)
LONDON, BERLIN, SANTIAGO, KATHMANDU = "Europe/London", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu"
SPRING = date(2027, 3, 28)
"""The clocks are put forward in Europe: 01:00 UTC."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "zone", "shift", "expected"),
    [
        ("2027-03-12T10:00", LONDON, Shift(to_day=date(2027, 3, 15)), "2027-03-15T10:00"),
        ("2027-03-26T09:30", LONDON, Shift(to_day=date(2027, 3, 29)), "2027-03-29T08:30"),
        ("2027-10-29T09:30", BERLIN, Shift(to_day=date(2027, 11, 1)), "2027-11-01T10:30"),
        ("2027-03-26T23:30", LONDON, Shift(to_day=date(2027, 4, 1)), "2027-04-01T22:30"),
        ("2027-03-12T10:00", KATHMANDU, Shift(to_day=date(2027, 3, 20)), "2027-03-20T10:00"),
        ("2027-03-12T10:00", LONDON, Shift(by_minutes=30), "2027-03-12T10:30"),
        ("2027-03-12T10:00", LONDON, Shift(by_minutes=-90), "2027-03-12T08:30"),
        ("2027-03-27T10:00", LONDON, Shift(by_minutes=1440), "2027-03-28T09:00"),
        ("2027-10-31T00:30", LONDON, Shift(by_minutes=60), "2027-10-31T02:30"),
    ],
)
def test_the_clock_at_the_clinic_says_what_it_is_to_say(start: str, zone: str, shift: Shift, expected: str) -> None:
    assert new_start(at(start), zone, shift) == at(expected)


@pytest.mark.parametrize(
    ("start", "zone", "shift", "code"),
    [
        ("2027-03-12T01:30", LONDON, Shift(to_day=SPRING), "START_IN_SPRING_GAP"),
        ("2027-03-27T01:30", LONDON, Shift(by_minutes=1440), "START_IN_SPRING_GAP"),
        ("2027-09-04T04:15", SANTIAGO, Shift(to_day=date(2027, 9, 5)), "START_IN_SPRING_GAP"),
        (None, LONDON, Shift(by_minutes=30), "START_REQUIRED"),
        (None, None, Shift(to_day=SPRING), "START_REQUIRED"),
    ],
)
def test_a_time_that_does_not_exist_is_refused(start: str | None, zone: str | None, shift: Shift, code: str) -> None:
    with pytest.raises(Refused) as refused:
        new_start(None if start is None else at(start), zone, shift)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("day", "zone", "first", "next_"),
    [
        ("2027-03-12", LONDON, "2027-03-12T00:00", "2027-03-13T00:00"),
        ("2027-03-28", LONDON, "2027-03-28T00:00", "2027-03-28T23:00"),
        ("2027-10-31", BERLIN, "2027-10-30T22:00", "2027-10-31T23:00"),
        ("2027-09-05", SANTIAGO, "2027-09-05T04:00", "2027-09-06T03:00"),
        ("2027-03-12", KATHMANDU, "2027-03-11T18:15", "2027-03-12T18:15"),
    ],
)
def test_a_day_is_one_of_the_clinics_calendar(day: str, zone: str, first: str, next_: str) -> None:
    assert day_at(calendar_day(day, "day"), zone) == (at(first), at(next_))


@pytest.mark.parametrize(
    "day", ["", "12.3.2027", "2027-3-12", "20270312", "2027-W10-5", "2027-02-29", "2027-03-12T10:00"]
)
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(Refused, match="BAD_DAY"):
        calendar_day(day, "day")


def visit(status: Status = Status.BOOKED, provider: UUID | None = WHO, barred: Bar | None = None) -> Visit:
    return Visit(VISIT, "pas", "v-1", status, START, LONDON, provider, ANN, barred)


def wish(act: Act, shift: Shift = NOWHERE) -> Wish:
    return Wish(LOCAL, "day-1", b"hash", act, "Dr Who is ill", "Ms Desk", shift)


def test_each_visit_has_a_command_of_its_own_in_its_own_sources_name() -> None:
    cancel = command_for(wish(Act.CANCEL), visit(), START)
    assert (cancel.client, cancel.key, cancel.names) == ("local", f"day-1#{VISIT}", (("pas", "v-1"),))
    assert (cancel.status, cancel.reason, cancel.at_desk) == (Status.CANCELLED, "Dr Who is ill", SeenAtDesk(START))
    assert (cancel.sequence, cancel.occurred_at) == (None, None)

    moved = command_for(wish(Act.MOVE, Shift(by_minutes=30)), visit(Status.PENDING), START)
    assert (moved.status, moved.starts_at) == (Status.PENDING, at("2027-03-12T10:30"))


def test_who_is_told() -> None:
    assert visit().told == ["patient", "provider"]
    assert visit(provider=None).told == ["patient"]
    assert visit(barred=Bar.DECEASED).told == ["provider"]
    assert visit(Status.WAITLIST).told == []


def test_pages_of_an_order_are_its_visits_each_once() -> None:
    order = Order({UUID(int=n): None for n in range(5)}, NOW)

    pages = [order.page(after, 2) for after in (0, 2, 4, 6)]
    assert [one.int for page in pages for one in page] == [0, 1, 2, 3, 4]
    assert pages[-1] == []
