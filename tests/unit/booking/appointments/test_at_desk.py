"""What a person cancels or moves at the desk stands beside upstream's own word; it fits what lies ahead (0049)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from booking.appointments.domain.command import BookAppointment, SeenAtDesk
from booking.appointments.domain.state import AppointmentState, Decision, Result
from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT
from booking.appointments.domain.versions import decide
from booking.values.refusals import Refused
from schemas.appointments import Status
from schemas.replies import ReplyAnswer
from tests.support.booking.builders import ANN, HOUR, NOW, START, change, command
from tests.unit.booking.appointments.test_two_writers import booked, replied

DAY = timedelta(days=1)
LATER = NOW + 2 * HOUR
STATUS, START_KEPT = ("KEPT_DESK_CHANGE", "appointment.status"), ("KEPT_DESK_CHANGE", "appointment.start")


def at_desk(held: AppointmentState, status: Status, **given: Any) -> Decision:
    given = {"reason": "Dr Who is ill", "at_desk": SeenAtDesk(START), **given}
    return decide(held, change("day/1", status, **given), None, None, NOW + HOUR)


def cancelled(**given: Any) -> AppointmentState:
    return at_desk(booked(**given), Status.CANCELLED).state


def moved(**given: Any) -> AppointmentState:
    return at_desk(booked(**given), Status.BOOKED, starts_at=START + DAY).state


def told(held: AppointmentState, order: BookAppointment) -> Decision:
    return decide(held, order, "EYE", ANN, LATER)


def warned(decision: Decision) -> list[tuple[str, str]]:
    return [(one.code, one.place) for one in decision.warnings]


def test_a_cancelled_visit_keeps_its_time_the_reason_and_upstreams_place_in_order() -> None:
    before = booked(sequence=4, occurred_at=NOW)
    after = at_desk(before, Status.CANCELLED).state

    assert (after.version, after.status, after.starts_at, after.reason) == (2, Status.CANCELLED, START, "Dr Who is ill")
    assert (after.said_status, after.said_starts_at) == (Status.BOOKED, None)
    assert after.caused_by == "desk-change/local/day/1"
    order = ("sequence", "source_time", "arrived_at", "arrived_offset")
    assert [getattr(after, name) for name in order] == [getattr(before, name) for name in order]


def test_a_moved_visit_keeps_its_length_is_planned_anew_and_not_confirmed_any_more() -> None:
    after = at_desk(booked(confirmed=True), Status.BOOKED, starts_at=START + DAY).state

    assert (after.starts_at, after.ends_at) == (START + DAY, START + DAY + HOUR)
    assert (after.schedule_gen, after.confirmed, after.said_confirmed) == (2, False, True)
    assert (after.said_status, after.said_starts_at) == (None, START)


@pytest.mark.parametrize(
    "order",
    [
        command("e2", provider="dr-two"),
        command("e2", provider="dr-two", occurred_at=NOW + HOUR / 2),
        command("e2", provider="dr-two", sequence=9),
        change("e2", provider="dr-two", service_type="Laser"),
        command("e2", provider="dr-two", reason="Dr Two takes over"),
    ],
    ids=["whole", "said before the desk's", "counted", "in part", "with a reason for it"],
)
@pytest.mark.parametrize("desk", [cancelled, moved])
def test_upstream_that_did_not_hear_of_it_undoes_nothing_and_the_rest_is_taken(
    desk: Any, order: BookAppointment
) -> None:
    held = desk(occurred_at=NOW - HOUR)
    decision = told(held, order)

    after = decision.state
    assert decision.result is Result.APPLIED
    assert (after.status, after.starts_at, after.ends_at) == (held.status, held.starts_at, held.ends_at)
    assert after.provider_id != held.provider_id
    assert (after.said_status, after.said_starts_at) == (held.said_status, held.said_starts_at)
    named = order.starts_at == START
    assert warned(decision) == ([STATUS] if desk is cancelled else [START_KEPT] if named else [])


def test_it_stays_so_however_often_upstream_says_the_same() -> None:
    for held in (cancelled(), moved()):
        first = told(held, command("e2", sequence=7))
        again = told(first.state, command("e3", sequence=8))
        assert (first.result, again.result) == (Result.REPEAT, Result.REPEAT)
        assert again.state._replace(sequence=None, source_time=None, arrived_at=None) == held._replace(
            source_time=None, arrived_at=None
        )


def test_a_reason_that_upstream_gives_every_time_is_no_new_one() -> None:
    for held in (
        cancelled(reason="check-up"),
        moved(reason="check-up"),
        at_desk(moved(reason="check-up"), Status.CANCELLED, at_desk=SeenAtDesk(START + DAY)).state,
    ):
        said = told(held, command("e2", reason="check-up"))
        assert (said.result, said.state.status, said.state.starts_at) == (Result.REPEAT, held.status, held.starts_at)
        kept = told(said.state, command("e3", reason="check-up", provider="dr-two")).state
        assert (kept.status, kept.starts_at) == (held.status, held.starts_at)
        again = told(kept, command("e4", reason="check-up", provider="dr-two"))
        assert (again.result, again.state.starts_at) == (Result.REPEAT, held.starts_at)


@pytest.mark.parametrize("desk", [cancelled, moved])
def test_what_the_desk_did_is_of_the_visit_whoever_its_patient_is(desk: Any) -> None:
    held = desk(confirmed=True)
    decision = decide(held, command("e2", confirmed=False), "EYE", UUID(int=2), LATER)

    after = decision.state
    assert (after.patient, after.confirmed) == (UUID(int=2), False)
    assert (after.status, after.starts_at) == (held.status, held.starts_at)
    assert [code for code, _ in warned(decision)] == ["KEPT_DESK_CHANGE"]


def test_the_one_who_confirmed_the_new_time_did_so_for_nobody_else() -> None:
    held = replied(ReplyAnswer.CONFIRM, moved())
    after = decide(held, command("e2", confirmed=False), "EYE", UUID(int=2), LATER).state

    assert (held.confirmed, after.confirmed, after.starts_at) == (True, False, START + DAY)


def test_a_move_leaves_the_status_that_upstream_gave_meanwhile() -> None:
    held = decide(booked(), command("e2", status=Status.PENDING), "EYE", ANN, NOW).state

    after = at_desk(held, Status.BOOKED, starts_at=START + DAY).state
    assert (after.status, after.said_status, after.starts_at) == (Status.PENDING, None, START + DAY)


def test_another_length_is_taken_at_the_desks_time() -> None:
    after = told(moved(), command("e2", ends_at=START + 2 * HOUR)).state

    assert (after.starts_at, after.ends_at) == (START + DAY, START + DAY + 2 * HOUR)


@pytest.mark.parametrize("desk", [cancelled, moved])
def test_upstreams_own_word_counts_when_it_changes(desk: Any) -> None:
    decision = told(desk(), command("e2", starts_at=START + 3 * DAY, ends_at=None))

    after = decision.state
    assert (after.status, after.starts_at, after.said_status, after.said_starts_at) == (
        Status.BOOKED, START + 3 * DAY, None, None,
    )  # fmt: skip
    assert warned(decision) == []


@pytest.mark.parametrize("desk", [cancelled, moved])
def test_upstream_that_insists_with_a_new_reason_alone_is_followed(desk: Any) -> None:
    after = told(desk(), command("e2", reason="she can do it after all")).state

    assert (after.status, after.starts_at, after.said_starts_at) == (Status.BOOKED, START, None)


def test_upstream_that_heard_of_it_agrees() -> None:
    agreed = told(moved(), command("e2", starts_at=START + DAY, ends_at=START + DAY + HOUR)).state
    assert (agreed.version, agreed.said_starts_at) == (2, None)
    heard = told(cancelled(), change("e2", Status.CANCELLED)).state
    assert (heard.version, heard.said_status) == (2, None)
    assert told(heard, command("e3")).state.status is Status.BOOKED


def test_upstream_cancels_a_visit_that_was_moved_at_the_time_that_its_patient_knows() -> None:
    for order in (command("e2", status=Status.CANCELLED), change("e2", Status.CANCELLED)):
        after = told(moved(), order).state
        assert (after.status, after.starts_at, after.said_starts_at) == (Status.CANCELLED, START + DAY, START)


def test_a_patient_who_confirms_the_new_time_stays_confirmed() -> None:
    held = replied(ReplyAnswer.CONFIRM, moved())
    kept = told(held, command("e2", provider="dr-two", confirmed=False))

    assert (kept.state.confirmed, kept.state.starts_at) == (True, START + DAY)


def test_what_the_patient_cancelled_is_not_said_to_be_the_desks() -> None:
    held = replied(ReplyAnswer.CANCEL, moved())

    assert held.reason == CANCELLED_BY_PATIENT
    assert warned(told(held, command("e2"))) == [START_KEPT, ("KEPT_PATIENT_REPLY", "appointment.status")]


def test_moved_and_then_cancelled_keeps_both_of_upstreams_words() -> None:
    held = at_desk(moved(), Status.CANCELLED, at_desk=SeenAtDesk(START + DAY)).state

    assert (held.said_status, held.said_starts_at) == (Status.BOOKED, START)
    assert warned(told(held, command("e2"))) == [START_KEPT, STATUS]


@pytest.mark.parametrize(
    ("held", "seen", "now", "code"),
    [
        (cancelled(), START, NOW, "ALREADY_CANCELLED"),
        (booked()._replace(status=Status.ENTERED_IN_ERROR), START, NOW, "ALREADY_CANCELLED"),
        (booked()._replace(status=Status.ARRIVED), START, NOW, "ALREADY_BEGUN"),
        (booked()._replace(status=Status.NOSHOW), START, NOW, "ALREADY_BEGUN"),
        (booked(), START, START, "ALREADY_BEGUN"),
        (booked(), START + HOUR, NOW, "CHANGED_MEANWHILE"),
        (booked(), None, NOW, "CHANGED_MEANWHILE"),
    ],
)
def test_what_does_not_fit_is_refused(held: AppointmentState, seen: Any, now: Any, code: str) -> None:
    with pytest.raises(Refused) as refused:
        decide(held, change("day/1", Status.CANCELLED, at_desk=SeenAtDesk(seen)), None, None, now)

    assert refused.value.code == code
    assert refused.value.status == 409


def test_a_move_to_where_it_is_changes_nothing() -> None:
    held = booked()

    assert at_desk(held, Status.BOOKED, starts_at=START) == Decision(Result.REPEAT, held)
