"""What an answer makes of a notification; the ledger only moves forward."""

from datetime import timedelta
from itertools import product

import pytest

from notifier.domain.ledger import Accepted, Answer, NotAccepted, NotStarted, Rejected, Unsure, attempt_id
from notifier.domain.settle import run_out, settle, skip
from notifier.domain.states import STEPS, State, outcome_of
from schemas.notifications import Outcome
from schemas.reminders import Reason
from tests.unit.notifier.builders import NOTIFICATION, NOW, notification, sending

FIRST = attempt_id(NOTIFICATION, 1)
ANSWERS: tuple[Answer, ...] = (Accepted("r"), Rejected("550"), NotAccepted("429"), Unsure("TIMEOUT"), NotStarted())


def test_r25_an_accepted_message_is_final() -> None:
    after = settle(sending(), FIRST, Accepted("r"), NOW, 0.5)

    assert after is not None
    assert (after.state, after.reason, after.version) == (State.ACCEPTED, None, 1)


def test_r25_a_permanent_refusal_has_failed() -> None:
    after = settle(sending(), FIRST, Rejected("550"), NOW, 0.5)

    assert after is not None
    assert (after.state, after.reason) == (State.FAILED, Reason.REFUSED)


def test_r24_a_temporary_refusal_waits_for_its_next_attempt_and_is_no_outcome() -> None:
    after = settle(sending(attempts=2), FIRST, NotAccepted("429"), NOW, 0.5)

    assert after is not None
    assert (after.state, after.version, after.next_attempt_at) == (State.QUEUED, 0, NOW + timedelta(seconds=10))


def test_d33_a_temporary_refusal_too_near_the_deadline_has_failed() -> None:
    after = settle(sending(not_after=NOW + timedelta(seconds=1)), FIRST, NotAccepted("503"), NOW, 0.5)

    assert after is not None
    assert (after.state, after.reason) == (State.FAILED, Reason.TOO_LATE)


def test_g5_what_may_have_been_accepted_is_unknown() -> None:
    after = settle(sending(), FIRST, Unsure("TIMEOUT"), NOW, 0.5)

    assert after is not None
    assert (after.state, after.reason) == (State.UNKNOWN, Reason.OUTCOME_UNKNOWN)


def test_a_call_that_never_began_is_gated_again_at_once_under_a_new_ordinal() -> None:
    after = settle(sending(), FIRST, NotStarted(), NOW, 0.5)

    assert after is not None
    assert (after.state, after.next_attempt_at, after.attempts) == (State.QUEUED, NOW, 1)


def test_g5_a_lease_that_runs_out_is_unknown_and_a_late_final_answer_settles_it() -> None:
    unknown = run_out(sending())
    accepted, refused = (settle(unknown, FIRST, answer, NOW, 0.5) for answer in (Accepted("r"), Rejected("550")))

    assert unknown.state is State.UNKNOWN
    assert accepted is not None
    assert (accepted.state, accepted.version) == (State.ACCEPTED, 2)
    assert refused is not None
    assert refused.state is State.FAILED


@pytest.mark.parametrize("answer", [NotAccepted("429"), Unsure("TIMEOUT"), NotStarted()])
def test_i9_after_unknown_no_late_answer_queues_it_again(answer: Answer) -> None:
    assert settle(run_out(sending()), FIRST, answer, NOW, 0.5) is None


@pytest.mark.parametrize(
    ("state", "answer"), list(product((State.QUEUED, State.ACCEPTED, State.FAILED, State.SKIPPED), ANSWERS))
)
def test_g6_no_answer_moves_a_message_that_is_not_waiting_for_one(state: State, answer: Answer) -> None:
    assert settle(sending(state=state), FIRST, answer, NOW, 0.5) is None


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_to_an_earlier_attempt_changes_nothing(answer: Answer) -> None:
    assert settle(sending(attempts=2, attempt_id=attempt_id(NOTIFICATION, 2)), FIRST, answer, NOW, 0.5) is None


@pytest.mark.parametrize(("state", "answer"), list(product(State, ANSWERS)))
def test_every_step_is_in_the_table(state: State, answer: Answer) -> None:
    after = settle(sending(state=state), FIRST, answer, NOW, 0.5)

    assert after is None or after.state in STEPS[state]


@pytest.mark.parametrize("reason", [Reason.APPOINTMENT_CANCELLED, Reason.TOO_LATE, Reason.HELD])
def test_r26_a_shut_gate_skips_with_its_reason(reason: Reason) -> None:
    after = skip(notification(), reason)

    assert (after.state, after.reason, after.version) == (State.SKIPPED, reason, 1)


def test_d17_one_that_was_refused_before_and_ran_out_of_time_has_failed() -> None:
    after = skip(notification(attempts=3), Reason.TOO_LATE)

    assert (after.state, after.reason) == (State.FAILED, Reason.TOO_LATE)


def test_states_are_outcomes_but_for_those_the_machine_still_works_on() -> None:
    assert {outcome_of(state) for state in State} == {None, *Outcome}
