"""D16: what becomes of a reminder whose moment lies outside the clinic's hours, 07:00 to 21:00 in these tests."""

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from schemas.appointments import ReminderPolicy, ReminderRule, SendWindow
from schemas.hours import Hours
from schemas.instants import HOUR, instant, micros
from schemas.planning import plan
from schemas.reminders import PlannedReminder, Reason, ReminderStatus
from tests.support.schemas.builders import appointment, days, hours, utc


def planned(start: str, *rules: ReminderRule, **changes: Any) -> dict[str, PlannedReminder]:
    return {reminder.rule: reminder for reminder in plan(appointment(*rules, starts_at=utc(start), **changes))}


@pytest.mark.parametrize(
    ("start", "due"),
    [
        ("2026-06-10T09:00", "2026-06-10T07:00"),  # the first minute is open
        ("2026-06-10T08:59", "2026-06-09T20:30"),  # the minute before moves to the evening before
        ("2026-06-10T22:59", "2026-06-10T20:59"),
        ("2026-06-10T23:00", "2026-06-10T20:30"),  # the last minute is closed
        ("2026-06-11T01:30", "2026-06-10T20:30"),
    ],
)
def test_d16_a_moment_outside_moves_to_half_an_hour_before_the_hours_before_it_end(start: str, due: str) -> None:
    assert planned(start, hours(2))["2h"].due == utc(due)


def test_d16_hours_are_the_clinics_wall_clock() -> None:
    reminder = planned("2026-06-10T10:00", hours(2), zone="America/New_York")["2h"]  # due at 04:00 there
    assert reminder.due == utc("2026-06-10T00:30")  # 20:30 there


def test_d16_what_moved_keeps_the_deadline_of_its_rule() -> None:
    assert planned("2026-06-10T08:00", hours(2))["2h"].not_after == utc("2026-06-10T07:30")


def test_d16_no_further_back_than_twelve_hours() -> None:
    narrow = ReminderPolicy(policy_id="p", rules=(hours(2),), window=SendWindow(opens=time(9), closes=time(17)))
    (early,) = plan(appointment(starts_at=utc("2026-06-10T10:00"), policy=narrow))  # due 08:00; the evening: 15 h back
    (late,) = plan(appointment(starts_at=utc("2026-06-10T06:00"), policy=narrow))  # due 04:00; 11 h 30 min back
    assert (early.status, early.reason, early.due) == (
        ReminderStatus.CANCELLED,
        Reason.QUIET_HOURS,
        utc("2026-06-10T08:00"),
    )
    assert (late.status, late.due) == (ReminderStatus.SCHEDULED, utc("2026-06-09T16:30"))


def test_d16_no_later_than_an_hour_before_the_visit() -> None:
    half_hour_before_closing = planned("2026-06-10T21:20", hours(1))["1h"]
    assert half_hour_before_closing.due == utc("2026-06-10T20:20")  # inside: stays
    policy = ReminderPolicy(policy_id="p", rules=(hours(1),), window=SendWindow(opens=time(7), closes=time(20)))
    (reminder,) = plan(appointment(starts_at=utc("2026-06-10T21:05"), policy=policy))  # 20:05 is closed
    assert reminder.due == utc("2026-06-10T19:30")


def test_d16_a_clinic_whose_hours_never_open_reminds_nobody() -> None:
    shut = ReminderPolicy(policy_id="p", rules=(hours(2), days(1)), window=SendWindow(opens=time(8), closes=time(8)))
    assert {r.reason for r in plan(appointment(policy=shut))} == {Reason.QUIET_HOURS}


@pytest.mark.parametrize(("set_at", "reason"), [("2026-06-09T20:29", None), ("2026-06-09T20:30", Reason.QUIET_HOURS)])
def test_d16_a_visit_booked_after_the_moment_it_would_move_to_has_none(set_at: str, reason: Reason | None) -> None:
    assert planned("2026-06-10T08:00", hours(2), schedule_set_at=utc(set_at))["2h"].reason is reason


def test_d14_a_moment_that_was_past_by_its_rule_is_past_whatever_the_hours() -> None:
    assert planned("2026-06-10T08:00", hours(2), schedule_set_at=utc("2026-06-10T06:30"))["2h"].reason is (
        Reason.DUE_IN_PAST
    )


@pytest.mark.parametrize(("start", "moves"), [("2026-06-10T06:30", True), ("2026-06-10T06:31", False)])
def test_d16_twelve_hours_are_not_too_far_and_a_minute_more_is(start: str, moves: bool) -> None:
    narrow = ReminderPolicy(policy_id="p", rules=(hours(2),), window=SendWindow(opens=time(9), closes=time(17)))
    (reminder,) = plan(appointment(starts_at=utc(start), policy=narrow))  # due at 04:30; the evening before: 16:30
    assert (reminder.due == utc("2026-06-09T16:30")) is moves
    assert reminder.reason is (None if moves else Reason.QUIET_HOURS)


def test_d16_the_hours_before_a_moment_end_half_an_hour_before_or_an_hour_before_the_visit() -> None:
    clinic = Hours(time(7), time(21))
    due, soon, later = (micros(utc(f"2026-06-10T{at}")) for at in ("21:10", "21:20", "22:10"))
    assert instant(clinic.before(due, later, "UTC") or 0) == utc("2026-06-10T20:30")
    assert instant(clinic.before(due, soon, "UTC") or 0) == utc("2026-06-10T20:20")


@pytest.mark.parametrize(
    ("due", "moved"),
    [
        ("2011-12-30T10:30", "2011-12-30T06:30"),  # 31 December 00:30 there; 29 December 20:30 there, the day before
        ("2011-12-30T16:59", "2011-12-30T06:30"),  # 06:59 there
        ("2011-12-31T10:30", "2011-12-31T06:30"),
    ],
)
def test_d16_where_the_wall_skips_a_date_the_hours_before_are_those_of_the_day_that_was(due: str, moved: str) -> None:
    """Apia had no 30 December 2011: at midnight after the 29th began the 31st."""
    at = micros(utc(due))
    assert instant(Hours(time(7), time(21)).before(at, at + HOUR, "Pacific/Apia") or 0) == utc(moved)


def test_d16_what_moves_to_shortly_before_another_gives_way_to_it() -> None:
    """The 2 h reminder is due at 20:45; that of 1 h, due at 21:45, would leave a quarter of an hour before it."""
    both = planned("2026-06-10T22:45", hours(1), hours(2))
    assert (both["2h"].reason, both["2h"].due) == (None, utc("2026-06-10T20:45"))
    assert (both["1h"].status, both["1h"].reason) == (ReminderStatus.CANCELLED, Reason.SUPERSEDED)


@pytest.mark.parametrize(("opens", "reason"), [(time(3), Reason.SUPERSEDED), (time(3, 1), None)])
def test_d16_six_hours_before_another_is_within_and_a_minute_more_is_not(opens: time, reason: Reason | None) -> None:
    """That of 8 h is due when the clinic opens; that of 10 h, due in the two hours before, moves back over them."""
    start = utc(f"2026-06-10T{opens:%H:%M}") + timedelta(hours=8)
    shut = ReminderPolicy(
        policy_id="p", rules=(hours(8), hours(10)), window=SendWindow(opens=opens, closes=time(21, 30))
    )
    both = {reminder.rule: reminder for reminder in plan(appointment(starts_at=start, policy=shut))}
    assert both["10h"].due == utc("2026-06-09T21:00")
    assert (both["8h"].reason, both["10h"].reason) == (None, reason)


def test_d16_exactly_six_hours_after_another_is_within() -> None:
    both = planned("2026-06-10T06:30", hours(16), hours(2))  # 14:30 the day before; the other moves to 20:30
    assert (both["16h"].reason, both["2h"].reason) == (None, Reason.SUPERSEDED)


def test_d16_what_moves_to_within_six_hours_after_another_is_merged_with_it() -> None:
    both = planned("2026-06-10T07:30", hours(12), hours(2))  # 19:30 stays; 05:30 would move to 20:30
    assert both["12h"].reason is None
    assert (both["2h"].status, both["2h"].reason) == (ReminderStatus.CANCELLED, Reason.SUPERSEDED)


def test_d16_six_hours_are_counted_from_the_other_ones_own_moment() -> None:
    far = planned("2026-06-10T06:29", hours(16), hours(2))  # 14:29 the day before, six hours and a minute earlier
    assert {reminder.reason for reminder in far.values()} == {None}


def test_d16_of_two_that_move_to_one_moment_the_one_with_the_longer_lead_leaves() -> None:
    both = planned("2026-06-10T07:00", hours(2), hours(3))
    assert (both["3h"].reason, both["2h"].reason) == (None, Reason.SUPERSEDED)


def test_d16_one_that_does_not_leave_takes_nothing_with_it() -> None:
    both = planned(
        "2026-06-10T07:30", hours(12), hours(2), schedule_set_at=utc("2026-06-09T20:00")
    )  # the first was past when the visit was booked
    assert both["12h"].reason is Reason.DUE_IN_PAST
    assert (both["2h"].reason, both["2h"].due) == (None, utc("2026-06-09T20:30"))


def test_d16_evening_before_the_clocks_change() -> None:
    """London, 29 March 2026: 02:30 does not exist; the reminder leaves the evening before, by winter time."""
    reminder = planned("2026-03-29T03:30", hours(2), zone="Europe/London", schedule_set_at=utc("2026-03-01T00:00"))[
        "2h"
    ]
    assert reminder.due == datetime.fromisoformat("2026-03-28T20:30+00:00")
    assert reminder.not_after - reminder.due == timedelta(hours=6, minutes=30)
