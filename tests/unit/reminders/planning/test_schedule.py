"""Planning as the worker does it, by requirement."""

from datetime import UTC, datetime, time, timedelta

import pytest

from reminders.planning.domain.schedule import KEPT_AFTER_VISIT, Unplannable
from reminders.timers.partition import Partition
from reminders.timers.row import NEVER, TimerState, pack
from schemas.appointments import NOT_YET_BOOKED, Appointment, Bar, SendWindow, Status
from schemas.instants import instant, micros
from schemas.reminders import Reason
from tests.support.reminders.builders import ANY_HOUR, NOW, VISIT, Kept, appointment, id_of, kept, rule

KEY = id_of("visit").bytes


def dues(held: Kept) -> dict[str, datetime]:
    return {name: instant(timer.due) for name, timer in held.timers.items()}


def reasons(event: Appointment) -> dict[str, Reason | None]:
    return {slot.rule: slot.reason for slot in kept(event).slots}


def test_r10_a_booking_plans_a_reminder_24_hours_and_2_hours_before() -> None:
    held = kept(appointment())

    assert dues(held) == {"24h": VISIT - timedelta(hours=24), "2h": VISIT - timedelta(hours=2)}
    assert held.states == {"24h": TimerState.PENDING, "2h": TimerState.PENDING}
    assert held.row.next_due == micros(VISIT - timedelta(hours=24))


def test_r12_d14_a_reminder_whose_moment_has_passed_is_born_cancelled() -> None:
    soon = appointment(starts_at=NOW + timedelta(hours=5))

    assert reasons(soon) == {"24h": Reason.DUE_IN_PAST, "2h": None}
    assert kept(soon).states == {"24h": TimerState.VOID, "2h": TimerState.PENDING}


def test_d14_a_moment_that_is_exactly_now_has_passed() -> None:
    assert reasons(appointment(starts_at=NOW + timedelta(hours=24))) == {"24h": Reason.DUE_IN_PAST, "2h": None}


def test_d14_a_rule_set_after_its_moment_is_not_made_up_for() -> None:
    late = rule("3d", days=3, since=VISIT - timedelta(days=2))

    assert reasons(appointment(rules=(late,))) == {"3d": Reason.DUE_IN_PAST}


def test_d14_reading_the_topic_again_years_later_plans_the_same() -> None:
    assert kept(appointment()) == kept(appointment())


@pytest.mark.parametrize("bar", Bar)
def test_d44_a_patient_to_whom_no_message_may_go_has_no_timer_that_waits(bar: Bar) -> None:
    held = kept(appointment(version=2, barred=bar), kept(appointment()))

    assert {slot.reason for slot in held.slots} == {Reason(bar.value)}
    assert (held.states, held.row.next_due) == ({"24h": TimerState.VOID, "2h": TimerState.VOID}, NEVER)


def test_d44_when_messages_may_go_to_him_again_what_is_still_ahead_is_planned_again() -> None:
    barred = appointment(version=2, barred=Bar.DO_NOT_CONTACT)
    lifted = appointment(version=3, event_time=VISIT - timedelta(hours=3))

    held = kept(lifted, kept(barred, kept(appointment())))

    assert {slot.rule: slot.reason for slot in held.slots} == {"24h": Reason.DUE_IN_PAST, "2h": None}
    assert held.row.next_due == micros(VISIT - timedelta(hours=2))


@pytest.mark.parametrize("status", sorted(set(Status) - {Status.BOOKED}))
def test_d11_only_booked_visits_are_reminded(status: Status) -> None:
    cancelled = status in {Status.CANCELLED, Status.ENTERED_IN_ERROR}
    expected = Reason.APPOINTMENT_CANCELLED if cancelled else Reason.NOT_SENDABLE

    assert set(reasons(appointment(status=status)).values()) == {expected}
    assert status not in NOT_YET_BOOKED or expected is Reason.NOT_SENDABLE


def test_d12_hours_are_elapsed_time_across_the_spring_gap() -> None:
    """London, 29 March 2026: clocks go from 01:00 to 02:00, so the day has 23 hours."""
    visit = datetime(2026, 3, 29, 11, 0, tzinfo=UTC)  # noon, summer time

    assert dues(kept(appointment(starts_at=visit, rules=(rule("24h", hours=24),))))["24h"] == datetime(
        2026, 3, 28, 11, 0, tzinfo=UTC
    )  # 11:00 on the wall


def test_d12_days_are_wall_clock_time_across_the_spring_gap() -> None:
    visit = datetime(2026, 3, 29, 11, 0, tzinfo=UTC)

    assert dues(kept(appointment(starts_at=visit, rules=(rule("1d", days=1),))))["1d"] == datetime(
        2026, 3, 28, 12, 0, tzinfo=UTC
    )  # noon on the wall


def test_d12_days_are_wall_clock_time_across_the_autumn_fold() -> None:
    """London, 25 October 2026: the hour from 01:00 comes twice; 25 hours lie between the two noons."""
    visit = datetime(2026, 10, 25, 12, 0, tzinfo=UTC)

    assert dues(kept(appointment(starts_at=visit, rules=(rule("1d", days=1),))))["1d"] == datetime(
        2026, 10, 24, 11, 0, tzinfo=UTC
    )


def test_d12_a_day_before_falls_into_the_gap_and_moves_forward_by_it() -> None:
    visit = datetime(2026, 3, 30, 0, 30, tzinfo=UTC)  # 01:30 on the wall; 01:30 the day before does not exist

    assert dues(kept(appointment(starts_at=visit, rules=(rule("1d", days=1),), window=ANY_HOUR)))["1d"] == datetime(
        2026, 3, 29, 1, 30, tzinfo=UTC
    )  # 02:30 on the wall


def test_d13_any_number_of_rules() -> None:
    rules = tuple(rule(f"h{hours}", hours=hours) for hours in range(1, 41))

    assert len(set(kept(appointment(rules=rules)).states)) == 40


def test_d13_a_visit_without_rules_has_no_reminders_but_a_row() -> None:
    held = kept(appointment(rules=()))

    assert list(held.slots) == []
    assert (held.row.version, held.row.next_due) == (1, NEVER)


def test_a_visit_without_a_start_is_kept_by_the_time_of_its_event() -> None:
    waiting = appointment(status=Status.WAITLIST, starts_at=None)

    assert kept(waiting).row.anchor == micros(waiting.event_time)


def test_r14_a_cancellation_leaves_no_timer_pending() -> None:
    held = kept(appointment(version=2, status=Status.CANCELLED), kept(appointment()))

    assert set(held.states.values()) == {TimerState.VOID}
    assert held.row.next_due == NEVER


def test_d10_a_move_plans_anew() -> None:
    fired, _ = kept(appointment()).settle(VISIT - timedelta(hours=24))

    held = kept(appointment(version=2, starts_at=VISIT + timedelta(days=2), schedule_gen=2), fired)

    assert set(held.states.values()) == {TimerState.PENDING}


def test_d11_a_change_of_room_does_not_remind_again() -> None:
    fired, _ = kept(appointment()).settle(VISIT - timedelta(hours=24))

    assert kept(appointment(version=2), fired).states == {"24h": TimerState.FIRED, "2h": TimerState.PENDING}


def test_d13_a_rule_that_stays_keeps_what_became_of_it_and_a_new_one_is_pending() -> None:
    fired, _ = kept(appointment()).settle(VISIT - timedelta(hours=24))
    rules = (rule("1h", hours=1, since=VISIT - timedelta(hours=23)), rule("24h", hours=24))

    held = kept(appointment(version=2, rules=rules), fired)

    assert held.states == {"1h": TimerState.PENDING, "24h": TimerState.FIRED}
    assert held.row.next_due == micros(VISIT - timedelta(hours=1))


def test_d15_not_after_is_a_quarter_of_the_lead_before_the_start() -> None:
    held = kept(appointment(rules=(rule("24h", hours=24), rule("1d", days=1))))

    assert {name: timer[1:] for name, timer in held.timers.items()} == {
        slot.rule: (slot.due, slot.not_after) for slot in held.slots
    }
    assert held.timers["24h"].not_after == micros(VISIT - timedelta(hours=6))


@pytest.mark.parametrize(
    ("late_by", "handed_over"),
    [(timedelta(0), "24h"), (timedelta(hours=18), "24h"), (timedelta(hours=18, microseconds=1), None)],
)
def test_d15_overdue_is_handed_over_while_a_quarter_of_the_lead_is_left(
    late_by: timedelta, handed_over: str | None
) -> None:
    _, settled = kept(appointment(rules=(rule("24h", hours=24),))).settle(VISIT - timedelta(hours=24) + late_by)

    assert (settled.handed_over.rule if settled.handed_over else None) == handed_over
    assert [t.rule for t in settled.too_late] == ([] if handed_over else ["24h"])
    assert settled.row.next_due == NEVER


def test_d15_two_overdue_reminders_of_one_visit_collapse_into_the_later() -> None:
    rules = (rule("24h", hours=24), rule("20h", hours=20), rule("2h", hours=2))

    held, settled = kept(appointment(rules=rules)).settle(VISIT - timedelta(hours=19))

    assert settled.handed_over is not None
    assert settled.handed_over.rule == "20h"
    assert [t.rule for t in settled.superseded] == ["24h"]
    assert held.states == {"24h": TimerState.LAPSED, "20h": TimerState.FIRED, "2h": TimerState.PENDING}


def test_settling_twice_hands_over_once() -> None:
    once, _ = kept(appointment()).settle(VISIT - timedelta(hours=24))

    again, settled = once.settle(VISIT - timedelta(hours=24))

    assert settled.handed_over is None
    assert again.row == once.row


@pytest.mark.parametrize(
    "event",
    [
        appointment(zone="Nowhere/Atall", rules=(rule("1d", days=1),)),
        appointment(starts_at=datetime(1, 1, 1, tzinfo=UTC)),
        appointment(version=2**32),
    ],
    ids=["unknown zone", "year 1", "version too large"],
)
def test_what_cannot_be_planned_says_so(event: Appointment) -> None:
    with pytest.raises(Unplannable):
        kept(event)


def test_the_last_year_of_all_can_be_planned() -> None:
    assert instant(kept(appointment(starts_at=datetime(9999, 12, 31, tzinfo=UTC))).row.anchor).year == 9999


LATE_HOURS = SendWindow(opens=time(9), closes=time(17))
TWO_HOURS = (rule("2h", hours=2),)


def statuses(held: Kept) -> dict[str, Reason | None]:
    return {slot.rule: slot.reason for slot in held.slots}


def test_d16_a_reminder_that_the_hours_forbade_is_planned_when_they_are_widened() -> None:
    """The visit is at 09:00 London time: two hours before it a clinic that opens at nine is closed."""
    visit = NOW + timedelta(days=2)
    closed = kept(appointment(starts_at=visit, rules=TWO_HOURS, window=LATE_HOURS))
    assert (closed.states, statuses(closed)) == ({"2h": TimerState.VOID}, {"2h": Reason.QUIET_HOURS})

    widened = appointment(version=2, starts_at=visit, rules=TWO_HOURS, event_time=NOW + timedelta(days=1))
    held = kept(widened, closed)

    assert (held.states, statuses(held)) == ({"2h": TimerState.PENDING}, {"2h": None})
    assert held.row.next_due == micros(visit - timedelta(hours=2))


def test_d14_hours_that_are_widened_after_its_moment_bring_no_reminder_back() -> None:
    visit = NOW + timedelta(days=2)
    closed = kept(appointment(starts_at=visit, rules=TWO_HOURS, window=LATE_HOURS))

    held = kept(appointment(version=2, starts_at=visit, rules=TWO_HOURS, event_time=visit - timedelta(hours=2)), closed)

    assert (held.states, statuses(held)) == ({"2h": TimerState.VOID}, {"2h": Reason.DUE_IN_PAST})
    assert held.row.next_due == NEVER


def test_d16_a_reminder_merged_with_another_is_planned_when_the_others_rule_goes() -> None:
    """The visit is at 10:00: the rule of 12 h would move to 20:30, half an hour after that of 14 h."""
    visit = NOW + timedelta(days=2, hours=1)
    both = appointment(starts_at=visit, rules=(rule("14h", hours=14), rule("12h", hours=12)))
    merged = kept(both)
    assert statuses(merged) == {"14h": None, "12h": Reason.SUPERSEDED}

    held = kept(appointment(version=2, starts_at=visit, rules=(rule("12h", hours=12),)), merged)

    assert (held.states, statuses(held)) == ({"12h": TimerState.PENDING}, {"12h": None})


def test_d16_what_cannot_leave_any_more_takes_no_other_reminder_with_it() -> None:
    """The 14 h reminder was forbidden, and past when the hours were widened: the 12 h one leaves in its stead."""
    visit = NOW + timedelta(days=2, hours=1)
    rules = (rule("14h", hours=14), rule("12h", hours=12))
    shut = kept(appointment(starts_at=visit, rules=rules, window=SendWindow(opens=time(8), closes=time(8))))
    at = visit - timedelta(hours=13, minutes=45)

    held = kept(appointment(version=2, starts_at=visit, rules=rules, event_time=at), shut)

    assert statuses(held) == {"14h": Reason.DUE_IN_PAST, "12h": None}
    assert held.row.next_due == micros(visit - timedelta(hours=13, minutes=30))


def test_g4_a_reminder_whose_time_came_and_went_is_never_planned_again() -> None:
    """Found overdue together, the later leaves; the other stays where it is whatever the next version says."""
    rules = (rule("24h", hours=24), rule("20h", hours=20))
    settled, _ = kept(appointment(rules=rules)).settle(VISIT - timedelta(hours=19))

    held = kept(appointment(version=2, rules=rules, event_time=NOW), settled)

    assert held.states == {"24h": TimerState.LAPSED, "20h": TimerState.FIRED}
    assert statuses(held)["24h"] is Reason.DUE_IN_PAST
    assert held.row.next_due == NEVER


def test_a_row_stays_72_hours_after_the_last_change_of_a_visit_that_is_over() -> None:
    """Moved to four days ago, it would leave at once, and the first version, come again, would be planned anew."""
    moved_at = NOW + timedelta(days=1)
    past = appointment(version=2, starts_at=NOW - timedelta(days=4), schedule_gen=2, schedule_set_at=moved_at)

    moved = kept(past, kept(appointment()))

    assert moved.row.anchor == micros(moved_at)
    assert kept(appointment(version=3, status=Status.CANCELLED), moved).row.anchor == micros(VISIT)


async def test_a_row_stays_72_hours_after_the_visit_and_no_longer() -> None:
    fired, _ = kept(appointment()).settle(VISIT)
    part = Partition(KEPT_AFTER_VISIT // timedelta(microseconds=1))
    part.put(KEY, pack(fired.row))
    leaves_at = micros(VISIT + timedelta(hours=72))
    await part.reach(leaves_at)

    assert part.take(leaves_at - 1, 9) == ([], [])
    assert part.take(leaves_at, 9) == ([], [KEY])
