"""Which word is the newer: order is believed within bounds, and who is late is told against what (D41, 0038)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from booking.appointments.domain.batch import Batch, EventAnswer
from booking.appointments.domain.state import AppointmentState, Result
from schemas.appointments import Status
from tests.support.booking.builders import HOUR, NOW, START, VISIT, batch, change, command

MINUTE = timedelta(minutes=1)


def state(booked: Batch) -> AppointmentState:
    return booked.changed[VISIT]


def warned(answer: EventAnswer) -> list[tuple[str, str]]:
    return [(w.code, w.place) for w in answer.warnings]


def restarted(booked: Batch, at: datetime, now: datetime) -> Batch:
    """Return a batch on top of another, after the source began to count anew."""
    after = batch(known=booked, now=now)
    after.known = replace(after.known, restarts={"local": at})
    return after


def test_a_time_of_the_future_is_taken_as_now_so_that_the_true_cancellation_counts() -> None:
    booked = batch()
    answer = booked.take(command(occurred_at=NOW + 5.5 * HOUR))
    assert warned(answer) == [("FUTURE_TIME", "occurred_at")]
    assert (state(booked).source_time, state(booked).event_time) == (NOW, NOW)
    assert booked.take(change("e3", occurred_at=NOW - MINUTE, starts_at=START + HOUR)).result is Result.APPLIED

    later = batch(known=booked, now=NOW + MINUTE)
    assert later.take(change("e2", Status.CANCELLED, occurred_at=NOW + MINUTE)).result is Result.APPLIED


@pytest.mark.parametrize(("ahead", "codes"), [(5 * MINUTE, []), (5 * MINUTE + timedelta(seconds=1), ["FUTURE_TIME"])])
def test_a_clock_may_run_ahead_by_five_minutes(ahead: timedelta, codes: list[str]) -> None:
    assert [code for code, _ in warned(batch().take(command(occurred_at=NOW + ahead)))] == codes


def test_what_was_believed_of_the_future_by_a_release_before_stands_at_its_arrival() -> None:
    booked = batch()
    booked.take(command())
    booked.changed[VISIT] = state(booked)._replace(source_time=NOW + 300 * HOUR)
    assert booked.take(change("e2", Status.CANCELLED, occurred_at=NOW + MINUTE)).result is Result.APPLIED
    assert state(booked).source_time == NOW + MINUTE


def test_a_replayed_event_is_ahead_of_its_own_arrival_not_of_the_replay() -> None:
    answer = batch(now=NOW + 9 * HOUR).take(command(occurred_at=NOW + HOUR, arrived_at=NOW))
    assert warned(answer) == [("FUTURE_TIME", "occurred_at")]


@pytest.mark.parametrize("before", [timedelta(days=2000), HOUR, 6 * MINUTE])
def test_an_event_without_a_time_stands_at_its_arrival(before: timedelta) -> None:
    booked = batch()
    booked.take(command("e1", occurred_at=NOW - timedelta(days=3000)))
    booked.take(change("e2", starts_at=START + HOUR))
    answer = booked.take(change("e3", starts_at=START, occurred_at=NOW - before))
    assert (answer.result, warned(answer)) == (Result.STALE, [("STALE", "occurred_at")])
    assert state(booked).starts_at == START + HOUR


def test_what_says_it_is_from_just_before_an_arrival_is_decided_by_arrival() -> None:
    booked = batch()
    booked.take(command("e1", occurred_at=NOW - timedelta(days=3000)))
    booked.take(change("e2", starts_at=START + HOUR))
    assert booked.take(change("e3", Status.CANCELLED, occurred_at=NOW - 4 * MINUTE)).result is Result.APPLIED


def test_times_that_were_given_are_compared_to_the_second() -> None:
    booked = batch()
    booked.take(command("e1", occurred_at=NOW - HOUR))
    answer = booked.take(change("e3", Status.CANCELLED, occurred_at=NOW - HOUR - timedelta(seconds=1)))
    assert answer.result is Result.STALE


def test_an_event_of_the_future_does_not_lift_a_tombstone() -> None:
    booked = batch()
    booked.take(change("e1", Status.CANCELLED))
    assert booked.take(command("e2", occurred_at=NOW + 9 * HOUR)).result is Result.STALE


def test_an_event_without_a_time_is_never_older_by_time() -> None:
    booked = batch()
    booked.take(command("e1", occurred_at=NOW + 4 * MINUTE))
    assert booked.take(change("e2", Status.CANCELLED)).result is Result.APPLIED


def test_a_repeat_without_a_time_moves_the_order_on_to_its_arrival() -> None:
    booked = batch()
    booked.take(command("e1", occurred_at=NOW - 9 * HOUR))
    assert booked.take(command("e2")).result is Result.REPEAT
    assert booked.take(change("e3", Status.CANCELLED, occurred_at=NOW - HOUR)).result is Result.STALE


STALES: dict[str, tuple[dict[str, Any], dict[str, Any], str, str]] = {
    "by sequence": ({"sequence": 7}, {"sequence": 5}, "sequence", "5 is before 7"),
    "by time": ({"occurred_at": NOW}, {"occurred_at": NOW - HOUR}, "occurred_at", "08:00:00.000+00:00 is before"),
    "by arrival": ({}, {"arrived_at": NOW - HOUR}, "", "it came before what is held"),
}


@pytest.mark.parametrize("how", STALES)
def test_who_is_late_is_told_against_what(how: str) -> None:
    first, second, place, words = STALES[how]
    booked = batch()
    booked.take(command("e1", **first))
    answer = booked.take(change("e2", Status.CANCELLED, **second))
    assert (answer.result, warned(answer)) == (Result.STALE, [("STALE", place)])
    assert words in answer.warnings[0].detail


def test_a_booking_that_its_cancellation_overtook_is_told_so() -> None:
    booked = batch()
    booked.take(change("e1", Status.CANCELLED))
    answer = booked.take(command("e2"))
    assert (answer.result, warned(answer)) == (Result.STALE, [("STALE", "")])


def test_a_count_that_went_back_while_the_times_go_on_is_said() -> None:
    booked = batch(now=NOW)
    booked.take(command("e1", sequence=500, occurred_at=NOW - HOUR))
    answer = booked.take(change("e2", Status.CANCELLED, sequence=1, occurred_at=NOW))
    assert (answer.result, warned(answer)) == (
        Result.STALE,
        [("STALE", "sequence"), ("SEQUENCE_WENT_BACK", "sequence")],
    )


@pytest.mark.parametrize("time", [{"occurred_at": NOW - 2 * HOUR}, {}])
def test_what_is_late_or_gives_no_time_is_no_count_that_went_back(time: dict[str, Any]) -> None:
    booked = batch()
    booked.take(command("e1", sequence=500, occurred_at=NOW - HOUR))
    answer = booked.take(change("e2", Status.CANCELLED, sequence=1, **time))
    assert warned(answer) == [("STALE", "sequence")]


def test_after_a_restart_the_new_count_is_taken_and_orders_what_follows() -> None:
    booked = batch()
    booked.take(command("e1", sequence=500, occurred_at=NOW - HOUR))
    after = restarted(booked, NOW + HOUR, NOW + 2 * HOUR)
    assert after.take(change("e2", starts_at=START + HOUR, sequence=2)).result is Result.APPLIED
    assert warned(after.take(change("e3", Status.CANCELLED, sequence=1))) == [("STALE", "sequence")]


def test_after_a_restart_an_old_word_is_still_old_by_its_time() -> None:
    booked = batch()
    booked.take(command("e1", sequence=500, occurred_at=NOW - HOUR))
    after = restarted(booked, NOW + HOUR, NOW + 2 * HOUR)
    answer = after.take(change("e2", Status.CANCELLED, sequence=499, occurred_at=NOW - 2 * HOUR))
    assert warned(answer) == [("STALE", "occurred_at")]


def test_a_restart_before_what_is_held_changes_nothing() -> None:
    booked = batch()
    booked.take(command("e1", sequence=500))
    after = restarted(booked, NOW - HOUR, NOW + 2 * HOUR)
    assert after.take(change("e2", Status.CANCELLED, sequence=2)).result is Result.STALE
