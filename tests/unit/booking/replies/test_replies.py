"""What a patient's answer makes of his visit (B11)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT
from booking.appointments.domain.versions import decide
from booking.replies.domain import decide as answered
from schemas.appointments import Status
from schemas.notifications import Channel
from schemas.replies import PatientReplied, ReplyAnswer
from tests.support.booking.builders import ANN, HOUR, NOW, START, VISIT, change, command


def booked(**given: Any) -> AppointmentState:
    return decide(None, command(**given), "EYE", ANN, NOW).state


def reply(answer: ReplyAnswer, gen: int = 1, at: datetime = NOW + HOUR, patient: UUID = ANN) -> PatientReplied:
    return PatientReplied(
        reply_id=uuid4(), appointment_id=VISIT, patient_id=patient, clinic_id="EYE", schedule_gen=gen, answer=answer,
        channel=Channel.SMS, at=at,
    )  # fmt: skip


def test_a_confirmation_sets_the_flag_and_nothing_else_and_names_its_cause() -> None:
    said, before = reply(ReplyAnswer.CONFIRM), booked(sequence=4)

    result, after = answered(before, said)

    assert (result, after.version, after.status, after.confirmed) == (Result.APPLIED, 2, Status.BOOKED, True)
    assert (after.sequence, after.schedule_gen, after.caused_by) == (4, 1, f"patient-reply/{said.reply_id}")


def test_a_cancellation_cancels_with_a_reason() -> None:
    result, after = answered(booked(), reply(ReplyAnswer.CANCEL))

    assert (result, after.status, after.reason) == (Result.APPLIED, Status.CANCELLED, CANCELLED_BY_PATIENT)


def test_what_came_before_the_patients_answer_and_is_replayed_after_it_does_not_undo_it() -> None:
    cancelled = answered(booked(), reply(ReplyAnswer.CANCEL, at=NOW + 2 * HOUR)).state
    moved = change("e2", starts_at=START + HOUR, arrived_at=NOW + HOUR)

    assert decide(cancelled, moved, None, None, NOW + 9 * HOUR).result is Result.STALE


@pytest.mark.parametrize("answer", [None, ReplyAnswer.CONFIRM])
@pytest.mark.parametrize(("minutes", "result"), [(1, Result.APPLIED), (6, Result.STALE)])
def test_an_answer_leaves_what_clocks_differ_by_as_it_was(
    answer: ReplyAnswer | None, minutes: int, result: Result
) -> None:
    held = booked() if answer is None else answered(booked(), reply(answer)).state
    said_before = change("e2", Status.CANCELLED, occurred_at=NOW - timedelta(minutes=minutes))

    assert decide(held, said_before, None, None, NOW + 2 * HOUR).result is result


@pytest.mark.parametrize("answer", ReplyAnswer)
def test_what_is_so_already_is_a_repeat(answer: ReplyAnswer) -> None:
    once = answered(booked(), reply(answer)).state

    assert answered(once, reply(answer)) == (Result.REPEAT, once)


@pytest.mark.parametrize("answer", ReplyAnswer)
def test_an_answer_to_another_time_to_another_patient_or_after_the_start_is_stale(answer: ReplyAnswer) -> None:
    held = booked()
    for said in (reply(answer, gen=2), reply(answer, patient=UUID(int=9)), reply(answer, at=START)):
        assert answered(held, said) == (Result.STALE, held)


def test_a_visit_that_is_not_booked_any_more_is_not_confirmed() -> None:
    cancelled = decide(booked(), change("e2", Status.CANCELLED), None, None, NOW + HOUR).state

    assert answered(cancelled, reply(ReplyAnswer.CONFIRM)).result is Result.STALE


def test_upstream_that_does_not_know_of_the_cancellation_does_not_undo_it_by_repeating_itself() -> None:
    after = answered(booked(sequence=4), reply(ReplyAnswer.CANCEL)).state

    again = decide(after, command("e2", sequence=5), "EYE", ANN, NOW + 2 * HOUR)

    assert (again.result, again.state.status, again.state.version) == (Result.REPEAT, Status.CANCELLED, 2)


def test_a_visit_that_moves_is_not_confirmed_any_more() -> None:
    after = answered(booked(), reply(ReplyAnswer.CONFIRM)).state

    moved = decide(after, change("e2", starts_at=START + HOUR), None, None, NOW + 2 * HOUR).state
    renamed = decide(after, change("e3", service_type="Eye test"), None, None, NOW + 2 * HOUR).state

    assert (moved.confirmed, renamed.confirmed) == (False, True)


def test_upstream_that_gives_a_reason_or_another_time_books_it_again() -> None:
    after = answered(booked(), reply(ReplyAnswer.CANCEL)).state

    for order_ in (command("e2", reason="he rang"), command("e3", starts_at=START + HOUR, ends_at=START + 2 * HOUR)):
        decision = decide(after, order_, "EYE", ANN, NOW + timedelta(hours=2))
        assert (decision.result, decision.state.status) == (Result.APPLIED, Status.BOOKED)
