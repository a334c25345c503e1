"""A no-show that booking found itself, and what may follow it (D19, D42)."""

from datetime import timedelta
from typing import Any

import pytest

from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.transitions import NO_SHOW_STANDS_AFTER, Actor, Step, step_of
from booking.appointments.domain.versions import decide
from booking.no_shows.domain import MAY_BE_MISSED, cause_of, not_attended
from booking.no_shows.store import LOCK_UNATTENDED
from schemas.appointments import Status
from tests.support.booking.builders import ANN, HOUR, NOW, START, change, command

SECOND = timedelta(seconds=1)


def missed(**given: Any) -> AppointmentState:
    held = decide(None, command(**given), "EYE", ANN, NOW).state
    return not_attended(held, cause_of("EYE", "2027-03-12T12:00+00:00"), timedelta(minutes=30), START + 2 * HOUR)


@pytest.mark.parametrize("came", [Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED])
def test_a_no_show_is_reversed_by_an_arrival_of_the_next_24_hours(came: Status) -> None:
    assert step_of(Actor.UPSTREAM, Status.NOSHOW, came, NO_SHOW_STANDS_AFTER) is Step.ALLOWED
    assert step_of(Actor.UPSTREAM, Status.NOSHOW, came, NO_SHOW_STANDS_AFTER + SECOND) is Step.WITH_REASON


def test_other_steps_have_no_time_limit() -> None:
    assert step_of(Actor.UPSTREAM, Status.BOOKED, Status.ARRIVED, timedelta(days=300)) is Step.ALLOWED
    assert step_of(Actor.UPSTREAM, Status.NOSHOW, Status.BOOKED) is Step.WITH_REASON


def test_it_is_a_version_like_any_other_and_leaves_upstreams_order_as_it_was() -> None:
    held = missed(sequence=4)

    assert (held.version, held.status, held.sequence, held.schedule_gen) == (2, Status.NOSHOW, 4, 1)
    assert held.caused_by == "no-show/EYE/2027-03-12T12:00+00:00"


def test_an_arrival_that_upstream_numbers_higher_reverses_it() -> None:
    decision = decide(missed(sequence=4), change("e2", Status.ARRIVED, sequence=5), None, None, START + 3 * HOUR)

    assert (decision.result, decision.state.status, decision.warnings) == (Result.APPLIED, Status.ARRIVED, ())


def test_the_same_booking_under_another_event_id_is_a_repeat_and_no_conflict() -> None:
    held = missed(sequence=4)

    assert decide(held, command("e2", sequence=4), "EYE", ANN, START + 3 * HOUR).result is Result.REPEAT
    assert decide(held, command("e3", sequence=9), "EYE", ANN, START + 3 * HOUR).state.sequence == 9


def test_a_booking_for_another_time_is_no_repeat() -> None:
    moved = decide(missed(), command("e2", starts_at=START + 48 * HOUR, ends_at=START + 49 * HOUR), "EYE", ANN, START)

    assert (moved.result, moved.state.status, moved.state.schedule_gen) == (Result.APPLIED, Status.BOOKED, 2)


def test_upstreams_own_no_show_is_not_taken_for_ours() -> None:
    booked = decide(None, command(), "EYE", ANN, NOW).state
    held = decide(booked, change("e7", Status.NOSHOW), None, None, START + 2 * HOUR).state

    assert decide(held, command("e2"), "EYE", ANN, START + 3 * HOUR).state.status is Status.BOOKED


def test_r18_nobody_came_is_said_of_booked_visits_alone_as_the_state_table_has_it() -> None:
    assert MAY_BE_MISSED == (Status.BOOKED,)
    assert "status IN ('booked')" in LOCK_UNATTENDED
