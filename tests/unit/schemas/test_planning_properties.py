"""What holds for every appointment, zone and set of rules."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.appointments import Appointment, ReminderRule, Status
from schemas.hours import Hours
from schemas.instants import HOUR, micros
from schemas.planning import plan
from schemas.reminders import ReminderStatus
from schemas.zones import NO_PLACES
from tests.support.schemas.builders import appointment, days, due_of, hours

ZONES = ("UTC", "Europe/London", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu")
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive bounds
ANY_INSTANT = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))
WINDOWS = st.one_of(st.just(Hours(time(7), time(21))), st.builds(Hours, TIMES, TIMES))
LEAPS = (
    ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC)),  # no 30 December
    ("Pacific/Fakaofo", datetime(2011, 12, 30, tzinfo=UTC)),
    ("Pacific/Kwajalein", datetime(1993, 8, 21, tzinfo=UTC)),  # no 21 August
    ("Pacific/Kwajalein", datetime(1969, 9, 30, tzinfo=UTC)),  # 30 September twice
)
RULES = st.one_of(st.integers(1, 24 * 90).map(hours), st.integers(1, 90).map(days))


@st.composite
def appointments(draw: st.DrawFn) -> Appointment:
    """Any appointment with any rules, set at any time before or after them."""
    rules = draw(st.lists(RULES, min_size=1, max_size=5, unique_by=lambda rule: rule.slug))
    start = draw(INSTANTS)
    before = draw(st.timedeltas(timedelta(days=-2), timedelta(days=120)))
    status = draw(st.sampled_from(Status))
    zone = draw(st.sampled_from(ZONES))
    return appointment(*rules, starts_at=start, zone=zone, schedule_set_at=start - before, status=status)


@given(appointments())
def test_every_rule_has_exactly_one_reminder_in_order_of_time(visit: Appointment) -> None:
    planned = plan(visit)
    assert sorted(reminder.rule for reminder in planned) == sorted(rule.slug for rule in visit.policy.rules)
    assert [reminder.due for reminder in planned] == sorted(reminder.due for reminder in planned)
    assert len({reminder.reminder_id for reminder in planned}) == len(planned)


@given(appointments())
def test_r12_only_moments_after_the_schedule_was_set_are_scheduled(visit: Appointment) -> None:
    for reminder in plan(visit):
        if reminder.status is ReminderStatus.SCHEDULED:
            assert reminder.due > visit.schedule_set_at
            assert visit.status is Status.BOOKED
        else:
            assert reminder.reason is not None


@given(appointments())
def test_d15_a_quarter_of_the_rules_lead_time_is_left_at_not_after(visit: Appointment) -> None:
    assert visit.starts_at is not None
    by_slug = {rule.slug: rule for rule in visit.policy.rules}
    for reminder in plan(visit):
        assert reminder.due < reminder.not_after < visit.starts_at
        by_rule = due_of(visit.starts_at, visit.zone, by_slug[reminder.rule])
        left, lead = visit.starts_at - reminder.not_after, visit.starts_at - by_rule
        assert abs(left * 4 - lead) <= timedelta(microseconds=4)


@given(appointments())
def test_d16_what_is_scheduled_leaves_within_the_hours_and_moves_earlier_by_half_a_day_at_most(
    visit: Appointment,
) -> None:
    assert visit.starts_at is not None
    by_slug = {rule.slug: rule for rule in visit.policy.rules}
    for reminder in plan(visit):
        by_rule = due_of(visit.starts_at, visit.zone, by_slug[reminder.rule])
        assert timedelta(0) <= by_rule - reminder.due <= timedelta(hours=12)
        if reminder.status is ReminderStatus.SCHEDULED:
            shown = reminder.due.astimezone(ZoneInfo(visit.zone)).time()
            assert visit.policy.window.opens <= shown < visit.policy.window.closes


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(sorted(available_timezones() - NO_PLACES)), ANY_INSTANT, WINDOWS)
def test_d16_what_moves_moves_back_into_the_hours_in_every_zone(zone: str, due: datetime, hours: Hours) -> None:
    _check_moved(zone, micros(due), hours)


@pytest.mark.parametrize(("zone", "day"), LEAPS)
@given(st.timedeltas(timedelta(days=-1), timedelta(days=2)), WINDOWS)
def test_d16_also_where_a_wall_skips_or_repeats_a_date(
    zone: str, day: datetime, later: timedelta, hours: Hours
) -> None:
    _check_moved(zone, micros(day + later), hours)


def _check_moved(zone: str, due: int, hours: Hours) -> None:
    """A moment outside moves earlier, by 12 h at most, to one inside; or not at all."""
    if hours.are_open(due, zone):
        return
    moved = hours.before(due, due + HOUR, zone)
    assert moved is None or (due - 12 * HOUR <= moved < due and hours.are_open(moved, zone))


@given(INSTANTS, st.sampled_from(ZONES), st.integers(1, 24 * 90))
def test_d12_hours_are_elapsed_time_in_every_zone(start: datetime, zone: str, lead: int) -> None:
    assert start - due_of(start, zone, hours(lead)) == timedelta(hours=lead)


@settings(max_examples=300)
@given(INSTANTS, st.sampled_from(ZONES), st.integers(1, 90))
def test_d12_days_keep_the_time_on_the_wall_but_for_the_spring_gap(start: datetime, zone: str, lead: int) -> None:
    due = due_of(start, zone, days(lead))
    wanted = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - timedelta(days=lead)
    shown = due.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    assert timedelta(0) <= shown - wanted <= timedelta(hours=1)
    if shown != wanted:  # then no clock of that zone ever showed the wanted time
        there_and_back = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone))
        assert there_and_back.replace(tzinfo=None) != wanted


@given(appointments())
def test_planning_again_gives_the_same(visit: Appointment) -> None:
    assert plan(visit) == plan(Appointment.model_validate_json(visit.model_dump_json()))


@given(st.lists(RULES, min_size=2, max_size=4, unique_by=lambda rule: rule.slug))
def test_the_order_of_the_rules_does_not_matter(rules: list[ReminderRule]) -> None:
    assert plan(appointment(*rules)) == plan(appointment(*reversed(rules)))
