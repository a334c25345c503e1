"""What upstream says counts by what upstream itself said last; what others did meanwhile stays (D55)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.state import AppointmentState, Decision, Result
from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT
from booking.appointments.domain.two_writers import NOTHING_ELSE, Said, said_before
from booking.appointments.domain.versions import decide
from booking.no_shows.domain import NoShowRule, cause_of, not_attended
from booking.replies.domain import decide as answered
from schemas.appointments import IngestMode, Status
from schemas.notifications import Channel
from schemas.replies import PatientReplied, ReplyAnswer
from tests.support.booking.builders import ANN, HOUR, NOW, START, VISIT, change, command

LATER = NOW + 2 * HOUR
BEN = UUID(int=2)
KEPT = [("KEPT_PATIENT_REPLY", "appointment.status")]
KEPT_FLAG = [("KEPT_PATIENT_REPLY", "appointment.confirmed")]
NOBODY_CAME = [("KEPT_NO_SHOW", "appointment.status")]


def booked(**given: Any) -> AppointmentState:
    return decide(None, command(**given), "EYE", ANN, NOW).state


def replied(answer: ReplyAnswer, held: AppointmentState | None = None) -> AppointmentState:
    held = held or booked()
    said = PatientReplied(
        reply_id=uuid4(), appointment_id=VISIT, patient_id=ANN, clinic_id="EYE", schedule_gen=held.schedule_gen,
        answer=answer, channel=Channel.SMS, at=NOW + HOUR,
    )  # fmt: skip
    result, after = answered(held, said)
    assert result is Result.APPLIED
    return after


def cancelled() -> AppointmentState:
    return replied(ReplyAnswer.CANCEL)


def confirmed() -> AppointmentState:
    return replied(ReplyAnswer.CONFIRM)


def missed() -> AppointmentState:
    return not_attended(booked(), cause_of("EYE", "slot"), NoShowRule().grace, START + 2 * HOUR)


def told(held: AppointmentState, order: BookAppointment, patient: UUID = ANN) -> Decision:
    return decide(held, order, "EYE", patient, START + 3 * HOUR if held.status is Status.NOSHOW else LATER)


def warned(decision: Decision) -> list[tuple[str, str]]:
    return [(one.code, one.place) for one in decision.warnings]


MEANWHILE: dict[str, dict[str, Any]] = {
    "another provider": {"provider": "dr-two"},
    "nobody assigned": {"provider": None},
    "another service": {"service_type": "Laser"},
    "another end": {"ends_at": START + 2 * HOUR},
    "a reason for another provider": {"provider": "dr-two", "reason": "Dr Who is ill"},
    "confirmed by upstream": {"confirmed": True},
    "an import of it": {"provider": "dr-two", "mode": IngestMode.BACKFILL},
}


@pytest.mark.parametrize("change_", MEANWHILE.values(), ids=MEANWHILE)
def test_what_upstream_changes_besides_leaves_a_visit_cancelled_that_the_patient_cancelled(
    change_: dict[str, Any],
) -> None:
    decision = told(cancelled(), command("e2", **change_))

    after = decision.state
    assert (decision.result, after.version, after.status) == (Result.APPLIED, 3, Status.CANCELLED)
    assert warned(decision) == KEPT
    assert (after.schedule_gen, after.reason, after.caused_by) == (1, CANCELLED_BY_PATIENT, "local/e2")
    assert (after.provider_id == cancelled().provider_id) is ("provider" not in change_)


def test_it_stays_so_however_often_upstream_changes_something_else() -> None:
    held = cancelled()
    for number, doctor in enumerate(("dr-two", "dr-three", "dr-who"), 2):
        held = told(held, command(f"e{number}", provider=doctor)).state

    assert (held.version, held.status, held.said_status) == (5, Status.CANCELLED, Status.BOOKED)


def test_what_upstream_only_repeats_is_a_repeat_that_says_that_the_answer_stands() -> None:
    decision = told(cancelled(), command("e2", sequence=5))

    assert (decision.result, decision.state.version, decision.state.sequence) == (Result.REPEAT, 2, 5)
    assert warned(decision) == KEPT


@pytest.mark.parametrize(
    "order",
    [
        command("e2", starts_at=START + HOUR, ends_at=START + 2 * HOUR),
        command("e2", reason="he rang"),
        change("e2", Status.PENDING),
        change("e2", Status.ARRIVED),
    ],
    ids=["another start", "a reason for the same", "another status", "he came"],
)
def test_upstreams_own_word_counts_when_it_changes(order: BookAppointment) -> None:
    decision = told(cancelled(), order)

    assert (decision.result, decision.state.status, decision.state.said_status) == (Result.APPLIED, order.status, None)
    assert not set(warned(decision)) & set(KEPT)


def test_upstream_that_heard_of_the_cancellation_books_him_again_by_the_same_start() -> None:
    heard = told(cancelled(), change("e2", Status.CANCELLED))
    again = told(heard.state, command("e3"))

    assert (heard.result, heard.state.version, heard.state.said_status, warned(heard)) == (Result.REPEAT, 2, None, [])
    assert (again.result, again.state.status, again.state.schedule_gen) == (Result.APPLIED, Status.BOOKED, 2)


def test_a_reason_that_upstream_gave_before_is_no_new_word() -> None:
    held = replied(ReplyAnswer.CANCEL, booked(reason="control"))

    assert warned(told(held, command("e2", reason="control"))) == KEPT
    assert told(held, command("e3", reason="he rang")).state.status is Status.BOOKED


def test_a_visit_that_is_given_to_another_patient_is_his_whatever_the_first_answered() -> None:
    assert told(cancelled(), command("e2", patient="ben"), BEN).state.status is Status.BOOKED
    assert told(confirmed(), command("e2", patient="ben"), BEN).state.confirmed is False
    assert told(missed(), command("e2", patient="ben"), BEN).state.status is Status.NOSHOW


def test_cancelled_by_upstream_itself_is_booked_again_as_ever() -> None:
    held = told(booked(), change("e2", Status.CANCELLED)).state

    assert told(held, command("e3", provider="dr-two")).state.status is Status.BOOKED


def test_a_confirmation_by_reply_stays_until_upstreams_own_word_of_it_changes() -> None:
    kept = told(confirmed(), command("e2", provider="dr-two", confirmed=False))
    assert (kept.state.confirmed, kept.state.said_confirmed, warned(kept)) == (True, False, KEPT_FLAG)
    again = told(kept.state, command("e3", provider="dr-two", confirmed=False))
    assert (again.result, again.state.confirmed) == (Result.REPEAT, True)

    agreed = told(kept.state, command("e4", confirmed=True)).state
    assert (agreed.confirmed, agreed.said_confirmed) == (True, None)
    assert told(agreed, command("e5", confirmed=False)).state.confirmed is False


def test_a_confirmation_by_upstream_is_taken_back_by_upstream() -> None:
    held = told(booked(), command("e2", confirmed=True)).state

    assert told(held, command("e3", confirmed=False)).state.confirmed is False
    assert told(held, command("e4", provider="dr-two")).state.confirmed is True


def test_a_move_is_not_confirmed_by_what_was_answered_to_the_time_before() -> None:
    moved = told(confirmed(), command("e2", starts_at=START + HOUR, ends_at=None)).state

    assert (moved.confirmed, moved.said_confirmed) == (False, None)


def test_confirmed_and_then_cancelled_by_the_patient_keeps_both_apart() -> None:
    held = replied(ReplyAnswer.CANCEL, confirmed())

    decision = told(held, command("e2", provider="dr-two", confirmed=False))
    assert (decision.state.status, decision.state.confirmed) == (Status.CANCELLED, True)
    assert warned(decision) == KEPT + KEPT_FLAG


def test_a_no_show_that_booking_found_stays_until_upstream_says_that_he_came_or_moves_him() -> None:
    kept = told(missed(), command("e2", provider="dr-two"))
    assert (kept.result, kept.state.status, warned(kept)) == (Result.APPLIED, Status.NOSHOW, NOBODY_CAME)

    came = told(kept.state, change("e3", Status.ARRIVED))
    assert (came.state.status, came.state.said_status, came.warnings) == (Status.ARRIVED, None, ())
    assert told(kept.state, command("e4", starts_at=START + 48 * HOUR)).state.status is Status.BOOKED


def test_what_a_row_does_not_know_is_told_by_who_changed_it_last() -> None:
    by_reply, by_rule = "patient-reply/1", "no-show/EYE/slot"

    assert said_before(by_reply, Status.CANCELLED, confirmed=False) == Said(Status.BOOKED)
    assert said_before(by_rule, Status.NOSHOW, confirmed=False) == Said(Status.BOOKED)
    assert said_before(by_reply, Status.BOOKED, confirmed=True) == Said(said_confirmed=False)
    for cause in ("local/e1", "patient/merge", None):
        assert said_before(cause, Status.CANCELLED, confirmed=True) == NOTHING_ELSE
    assert said_before(by_rule, Status.BOOKED, confirmed=True) == NOTHING_ELSE
