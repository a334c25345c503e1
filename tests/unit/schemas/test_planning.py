"""The planning rules, each by its requirement number."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.appointments import Bar, Status
from schemas.planning import barred_by, plan, reason_not_to_remind
from schemas.reminders import Reason, ReminderStatus
from schemas.wire import reminder_id
from tests.support.schemas.builders import APPOINTMENT, appointment, days, due_of, hours, utc

# R10, R11, D13: what is planned


def test_r10_a_booking_is_reminded_24_hours_and_2_hours_before() -> None:
    assert [reminder.due for reminder in plan(appointment())] == [utc("2026-06-09T09:00"), utc("2026-06-10T07:00")]


def test_d13_any_number_of_lead_times_gives_one_reminder_each_soonest_first() -> None:
    planned = plan(appointment(hours(1), days(7), hours(48)))
    assert [reminder.rule for reminder in planned] == ["7d", "48h", "1h"]


def test_r11_a_reminder_carries_its_id_its_times_and_its_status() -> None:
    first, _ = plan(appointment(schedule_gen=4))
    assert first.reminder_id == reminder_id(APPOINTMENT, 4, "24h")
    assert (first.status, first.reason) == (ReminderStatus.SCHEDULED, None)


def test_d10_a_new_schedule_generation_gives_new_reminders() -> None:
    before = {reminder.reminder_id for reminder in plan(appointment(schedule_gen=1))}
    after = {reminder.reminder_id for reminder in plan(appointment(schedule_gen=2))}
    assert before.isdisjoint(after)


def test_an_appointment_without_a_start_has_nothing_to_remind_of() -> None:
    assert plan(appointment(starts_at=None, status="waitlist")) == ()


# D11, R14: which statuses may be reminded


@pytest.mark.parametrize("confirmed", [True, False])
def test_d11_booked_may_be_reminded_confirmed_or_not(confirmed: bool) -> None:
    assert reason_not_to_remind(appointment(confirmed=confirmed).status, None) is None


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_r14_a_cancelled_visit_is_not_reminded(status: str) -> None:
    planned = plan(appointment(status=status))
    assert {(reminder.status, reminder.reason) for reminder in planned} == {
        (ReminderStatus.CANCELLED, Reason.APPOINTMENT_CANCELLED)
    }


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.BOOKED, Status.CANCELLED, Status.ENTERED_IN_ERROR}))
def test_d11_no_other_status_may_be_reminded(status: Status) -> None:
    planned = plan(appointment(status=status))
    assert {reminder.reason for reminder in planned} == {Reason.NOT_SENDABLE}


def test_d11_a_change_of_provider_or_of_words_plans_the_same() -> None:
    changed = appointment(version=7, provider_id=APPOINTMENT, service_type="Scan", reason="room 4", confirmed=True)
    assert plan(changed) == plan(appointment())


# D44: which patients may be reminded


@pytest.mark.parametrize("bar", Bar)
def test_d44_a_patient_to_whom_no_message_may_go_is_not_reminded_with_that_reason(bar: Bar) -> None:
    planned = plan(appointment(barred=bar))
    assert {(reminder.status, reminder.reason) for reminder in planned} == {
        (ReminderStatus.CANCELLED, Reason(bar.value))
    }
    assert [reminder.due for reminder in planned] == [reminder.due for reminder in plan(appointment())]


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.BOOKED}))
def test_d44_a_visit_that_is_off_says_so_whoever_its_patient_is(status: Status) -> None:
    assert plan(appointment(status=status, barred=Bar.DECEASED)) == plan(appointment(status=status))


@pytest.mark.parametrize("past", [timedelta(), timedelta(hours=30)])
def test_d44_the_patient_goes_before_the_moment_and_the_clinics_hours(past: timedelta) -> None:
    night = appointment(hours(24), starts_at=utc("2026-06-10T03:00"), schedule_set_at=utc("2026-06-08T12:00") + past)
    assert {r.reason for r in plan(night.model_copy(update={"barred": Bar.NO_CONSENT}))} == {Reason.NO_CONSENT}


@pytest.mark.parametrize(
    ("deceased", "do_not_contact", "consent", "bar"),
    [
        (False, False, True, None),
        (False, False, False, Bar.NO_CONSENT),
        (False, True, True, Bar.DO_NOT_CONTACT),
        (False, True, False, Bar.DO_NOT_CONTACT),
        (True, False, True, Bar.DECEASED),
        (True, True, False, Bar.DECEASED),
    ],
)
def test_d44_of_several_reasons_the_gravest_is_told(
    deceased: bool, do_not_contact: bool, consent: bool, bar: Bar | None
) -> None:
    assert barred_by(deceased=deceased, do_not_contact=do_not_contact, consent=consent) is bar


# D12: hours are elapsed time, days are wall-clock time

SPRING: dict[str, Any] = {
    "zone": "Europe/London",
    "starts_at": utc("2026-03-30T08:30"),
}  # 09:30 BST, the day after the change
AUTUMN: dict[str, Any] = {
    "zone": "Europe/London",
    "starts_at": utc("2026-10-26T09:30"),
}  # 09:30 GMT, the day after the change
IN_TIME: dict[str, Any] = {"schedule_set_at": utc("2026-01-01T00:00")}


def test_d12_hours_are_elapsed_time_through_the_spring_change() -> None:
    (reminder,) = plan(appointment(hours(48), **SPRING, **IN_TIME))
    assert reminder.due == utc("2026-03-28T08:30")  # 08:30 on the wall: an hour earlier than the visit


def test_d12_days_are_wall_clock_time_through_the_spring_change() -> None:
    (reminder,) = plan(appointment(days(2), **SPRING, **IN_TIME))
    assert reminder.due == utc("2026-03-28T09:30")  # 09:30 on the wall, 47 hours before


def test_d12_hours_are_elapsed_time_through_the_autumn_change() -> None:
    (reminder,) = plan(appointment(hours(48), **AUTUMN, **IN_TIME))
    assert reminder.due == utc("2026-10-24T09:30")  # 10:30 on the wall


def test_d12_days_are_wall_clock_time_through_the_autumn_change() -> None:
    (reminder,) = plan(appointment(days(2), **AUTUMN, **IN_TIME))
    assert reminder.due == utc("2026-10-24T08:30")  # 09:30 on the wall, 49 hours before


def test_d12_a_day_rule_that_falls_into_the_spring_gap_moves_forward_by_it() -> None:
    start = utc("2026-03-30T00:30")  # 01:30 in London; at 01:30 of the day before no clock shows that time
    assert due_of(start, "Europe/London", days(1)) == utc("2026-03-29T01:30")  # 02:30 on the wall


def test_d12_a_day_rule_that_falls_into_the_autumn_hour_takes_the_first() -> None:
    start = utc("2026-10-26T01:30")  # 01:30 in London; the day before shows 01:30 twice
    assert due_of(start, "Europe/London", days(1)) == utc("2026-10-25T00:30")


def test_d12_days_hold_where_the_change_is_at_midnight() -> None:
    start = utc("2026-09-06T12:00")  # 09:00 in Santiago, whose day begins at 01:00 on the day of the change
    assert due_of(start, "America/Santiago", days(1)) == utc("2026-09-05T13:00")


# D14: moments already past


@pytest.mark.parametrize(
    ("seconds", "status", "reason"),
    [(-1, "SCHEDULED", None), (0, "CANCELLED", Reason.DUE_IN_PAST), (1, "CANCELLED", Reason.DUE_IN_PAST)],
)
def test_d14_a_moment_not_after_the_setting_of_the_schedule_is_cancelled_from_birth(
    seconds: int, status: str, reason: Reason | None
) -> None:
    due = utc("2026-06-09T09:00")
    (reminder,) = plan(appointment(hours(24), schedule_set_at=due + timedelta(seconds=seconds)))
    assert (reminder.status, reminder.reason, reminder.due) == (status, reason, due)


def test_d14_a_rule_added_after_the_moment_reminds_nobody() -> None:
    late_rule = hours(24, since=utc("2026-06-09T09:00"))
    (reminder,) = plan(appointment(late_rule))
    assert reminder.reason is Reason.DUE_IN_PAST


def test_d14_the_later_of_schedule_and_rule_counts() -> None:
    early_rule = hours(24, since=utc("2026-06-02T00:00"))
    (reminder,) = plan(appointment(early_rule, schedule_set_at=utc("2026-06-09T10:00")))
    assert reminder.reason is Reason.DUE_IN_PAST


def test_d14_a_booking_inside_24_hours_keeps_the_reminder_of_2_hours() -> None:
    far, near = plan(appointment(schedule_set_at=utc("2026-06-10T00:00")))
    assert (far.reason, near.status) == (Reason.DUE_IN_PAST, ReminderStatus.SCHEDULED)


def test_r14_a_cancelled_visit_says_so_even_where_the_moment_was_past() -> None:
    (reminder,) = plan(appointment(hours(24), status="cancelled", schedule_set_at=utc("2026-06-10T00:00")))
    assert reminder.reason is Reason.APPOINTMENT_CANCELLED


# D15: until when


def test_d15_a_reminder_may_leave_until_a_quarter_of_its_lead_time_is_left() -> None:
    far, near = plan(appointment())
    assert (far.not_after, near.not_after) == (utc("2026-06-10T03:00"), utc("2026-06-10T08:30"))


def test_d15_the_quarter_of_a_day_rule_is_of_its_true_length() -> None:
    (reminder,) = plan(appointment(days(2), **SPRING, **IN_TIME))
    assert reminder.not_after == SPRING["starts_at"] - timedelta(hours=47) / 4
