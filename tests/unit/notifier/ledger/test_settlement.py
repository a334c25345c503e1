"""What an answer makes of a notification; the ledger only moves forward."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from uuid import UUID

import pytest

from notifier.gate.domain.chain import TRIED, Step
from notifier.gate.domain.channels import Route
from notifier.gate.domain.decision import Send, Skip, Terms, Wait, decide
from notifier.gate.domain.facts import GateFacts
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import (
    Accepted,
    CarrierResult,
    NotAccepted,
    Notification,
    NotStarted,
    Rejected,
    Unsure,
)
from notifier.ledger.domain.settlement import again, defer, place, run_out, settle, shut, skip, start, undelivered
from notifier.ledger.domain.states import STEPS, NotificationState, outcome_of
from schemas.notifications import Channel, DeliveryState, Kind, Outcome
from schemas.reminders import Reason
from tests.support.notifier.builders import EMAIL, FIRST, NOW, SECOND, notification, sending, visit

ANSWERS: tuple[CarrierResult, ...] = (
    Accepted("r"),
    Rejected("550"),
    NotAccepted("429"),
    Unsure("TIMEOUT"),
    NotStarted(),
)
DOUBLE = Terms(double_over_miss=True)
TEN_MINUTES = Terms(timedelta(minutes=10))


def settled(held: Notification, answer: CarrierResult, terms: Terms = TEN_MINUTES) -> Notification:
    after = settle(held, FIRST, answer, NOW, 0.5, terms)
    assert after is not None
    return after


def accepted(**changes: object) -> Notification:
    return sending(**{"state": NotificationState.ACCEPTED, "accepted_at": NOW, "version": 1, **changes})


def test_r25_an_accepted_message_is_final() -> None:
    after = settled(sending(), Accepted("r"))

    assert (after.state, after.reason, after.version, after.accepted_at) == (NotificationState.ACCEPTED, None, 1, NOW)


def test_d32_a_permanent_refusal_closes_the_channel_and_the_next_is_tried_at_once() -> None:
    after = settled(sending(next_attempt_at=NOW - timedelta(hours=1)), Rejected("550"))

    assert (after.state, after.next_attempt_at, after.version) == (NotificationState.QUEUED, NOW, 0)
    assert after.steps == (Step(Channel.SMS, Reason.REFUSED),)
    assert (after.step_began_at, after.step_attempts) == (None, 0)


@pytest.mark.parametrize("code", ["HTTP_400_21610", "HTTP_400_131050"])
def test_d57_a_refusal_because_of_a_stop_closes_the_channel_while_the_opt_out_stands(code: str) -> None:
    after = settled(sending(), Rejected(code))

    assert (after.state, after.steps) == (NotificationState.QUEUED, (Step(Channel.SMS, Reason.OPTED_OUT),))
    out, back = GateFacts(opted_out=frozenset({Channel.SMS})), GateFacts()
    visited = visit(mobile="+447400123456", email=None)
    shut_by = decide(after.asked, visited, out, NOW)
    assert isinstance(shut_by, Skip)
    waits = shut(after, shut_by)
    assert (waits.state, waits.reason) == (NotificationState.SKIPPED, Reason.OPTED_OUT)
    again = decide(replace(waits, state=NotificationState.QUEUED).asked, visited, back, NOW)
    assert isinstance(again, Send)
    assert again.route.channel is Channel.SMS


def test_d32_no_channel_is_tried_after_the_deadline() -> None:
    after = settled(sending(not_after=NOW - timedelta(seconds=1)), Rejected("550"))

    assert (after.state, after.reason) == (NotificationState.FAILED, Reason.REFUSED)


def test_r24_a_temporary_refusal_waits_for_its_next_attempt_and_is_no_outcome() -> None:
    after = settled(sending(attempts=7, step_attempts=2), NotAccepted("429"))

    assert (after.state, after.version, after.next_attempt_at) == (
        NotificationState.QUEUED,
        0,
        NOW + timedelta(seconds=10),
    )
    assert after.steps == ()


@pytest.mark.parametrize(
    ("began_s", "retry_after_s", "closed"),
    [(0, None, False), (594, None, False), (596, None, True), (0, 600, False), (0, 601, True)],
)
def test_d33_a_channel_that_keeps_refusing_is_closed_when_its_budget_is_over(
    began_s: int, retry_after_s: int | None, closed: bool
) -> None:
    asked = timedelta(seconds=retry_after_s) if retry_after_s else None
    after = settled(sending(step_began_at=NOW - timedelta(seconds=began_s)), NotAccepted("503", asked))

    assert after.state is NotificationState.QUEUED
    assert after.steps == ((Step(Channel.SMS, Reason.NOT_ACCEPTED),) if closed else ())
    assert (after.next_attempt_at == NOW) == closed


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("is_last", [True, False])
def test_d33_the_last_channel_stays_open_while_the_fault_is_ours_and_no_longer_than_the_deadline(
    fault: Fault, is_last: bool
) -> None:
    """Closed, the message would have failed for good though the password is right again an hour later."""
    spent = sending(step_began_at=NOW - timedelta(minutes=31), step_attempts=9)
    refused = NotAccepted("X", fault=fault)

    after = settled(spent, refused, Terms(is_last=is_last))
    late = settled(replace(spent, not_after=NOW + timedelta(seconds=1)), refused, Terms(is_last=is_last))

    ours = fault in {Fault.ACCOUNT, Fault.SENDER}
    assert after.steps == (() if ours and is_last else (Step(Channel.SMS, Reason.NOT_ACCEPTED),))
    assert late.steps == (Step(Channel.SMS, Reason.NOT_ACCEPTED),)


def test_d33_when_no_attempt_fits_before_the_deadline_the_next_channel_may() -> None:
    after = settled(sending(not_after=NOW + timedelta(seconds=1)), NotAccepted("503"))

    assert (after.state, after.steps) == (NotificationState.QUEUED, (Step(Channel.SMS, Reason.NOT_ACCEPTED),))


def test_g5_what_may_have_been_accepted_is_unknown() -> None:
    after = settled(sending(), Unsure("TIMEOUT"))

    assert (after.state, after.reason) == (NotificationState.UNKNOWN, Reason.OUTCOME_UNKNOWN)


def test_d32_where_a_double_is_better_than_a_miss_the_next_channel_follows_an_unknown_outcome() -> None:
    for after in (settled(sending(), Unsure("TIMEOUT"), DOUBLE), run_out(sending(), NOW, DOUBLE)):
        assert (after.state, after.steps) == (NotificationState.QUEUED, (Step(Channel.SMS, Reason.OUTCOME_UNKNOWN),))


def test_d32_a_late_acceptance_spares_the_double_as_long_as_the_next_channel_was_not_called() -> None:
    waiting = run_out(sending(), NOW, DOUBLE)
    elsewhere = place(waiting, Send(Route(Channel.EMAIL, EMAIL), NOW + timedelta(hours=1), Kind.REMINDER), "NORTH")
    refused = settled(sending(), Rejected("550"))

    for held in (waiting, elsewhere):
        after = settled(held, Accepted("r"))
        assert (after.state, after.lane, after.version, after.accepted_at) == (
            NotificationState.ACCEPTED,
            Channel.SMS,
            1,
            NOW,
        )
    assert settle(refused, FIRST, Accepted("r"), NOW, 0.5) is None
    assert settle(waiting, FIRST, Rejected("550"), NOW, 0.5) is None


@pytest.mark.parametrize("begun", [0, 1, 4])
def test_r25_a_call_that_never_began_is_no_attempt_and_is_gated_again_at_once(begun: int) -> None:
    after = settled(sending(attempts=begun + 1, step_attempts=begun + 1), NotStarted())

    assert (after.state, after.next_attempt_at) == (NotificationState.QUEUED, NOW)
    assert (after.attempts, after.step_attempts) == (begun, begun)


def test_r24_claims_given_back_make_no_wait_longer() -> None:
    """A claim beside a 429 is given back; the first call that is refused after it waits 5 s, as a first one does."""
    given_back = settled(sending(), NotStarted())
    again = start(
        given_back, Send(Route(Channel.SMS, "+1"), NOW + timedelta(hours=1), Kind.REMINDER), visit(), SECOND, NOW
    )
    refused = settle(again, SECOND, NotAccepted("HTTP_503"), NOW, 0.5)

    assert refused is not None
    assert (refused.attempts, refused.next_attempt_at) == (1, NOW + timedelta(seconds=5))


def test_d15_one_that_was_claimed_and_never_called_for_is_skipped_when_its_time_is_up_not_failed() -> None:
    after = skip(settled(sending(), NotStarted()), Reason.TOO_LATE)

    assert (after.state, after.reason) == (NotificationState.SKIPPED, Reason.TOO_LATE)


def test_g5_a_lease_that_runs_out_is_unknown_and_a_late_final_answer_settles_it() -> None:
    unknown = run_out(sending(), NOW)
    taken, refused = (settled(unknown, answer) for answer in (Accepted("r"), Rejected("550")))

    assert unknown.state is NotificationState.UNKNOWN
    assert (taken.state, taken.version) == (NotificationState.ACCEPTED, 2)
    assert (refused.state, refused.steps) == (NotificationState.QUEUED, (Step(Channel.SMS, Reason.REFUSED),))


@pytest.mark.parametrize("answer", [NotAccepted("429"), Unsure("TIMEOUT"), NotStarted()])
def test_i9_after_unknown_no_late_answer_queues_it_again(answer: CarrierResult) -> None:
    assert settle(run_out(sending(), NOW), FIRST, answer, NOW, 0.5, DOUBLE) is None


@pytest.mark.parametrize(
    ("state", "answer"),
    list(
        product(
            (NotificationState.QUEUED, NotificationState.ACCEPTED, NotificationState.FAILED, NotificationState.SKIPPED),
            ANSWERS,
        )
    ),
)
def test_g6_no_answer_moves_a_message_that_is_not_waiting_for_one(
    state: NotificationState, answer: CarrierResult
) -> None:
    assert settle(sending(state=state), FIRST, answer, NOW, 0.5) is None


@pytest.mark.parametrize("answer", ANSWERS)
def test_an_answer_to_an_earlier_attempt_changes_nothing(answer: CarrierResult) -> None:
    assert settle(sending(attempts=2, attempt_id=SECOND), FIRST, answer, NOW, 0.5) is None


@pytest.mark.parametrize(("state", "answer", "terms"), list(product(NotificationState, ANSWERS, (TEN_MINUTES, DOUBLE))))
def test_every_step_is_in_the_table(state: NotificationState, answer: CarrierResult, terms: Terms) -> None:
    after = settle(sending(state=state), FIRST, answer, NOW, 0.5, terms)

    assert after is None or after.state in STEPS[state]


def test_design_6_what_did_not_arrive_opens_the_next_step_before_the_deadline() -> None:
    after = undelivered(accepted(), FIRST, NOW)

    assert after is not None
    assert after.state in STEPS[NotificationState.ACCEPTED]
    assert (after.state, after.delivery_state) == (NotificationState.QUEUED, DeliveryState.UNDELIVERED)
    assert after.steps == (Step(Channel.SMS, Reason.UNDELIVERED),)


def test_d17_what_did_not_arrive_and_is_told_too_late_stays_accepted() -> None:
    after = undelivered(accepted(not_after=NOW - timedelta(seconds=1)), FIRST, NOW)

    assert after is not None
    assert (after.state, after.delivery_state, after.version) == (
        NotificationState.ACCEPTED,
        DeliveryState.UNDELIVERED,
        2,
    )
    assert undelivered(after, FIRST, NOW) is None


@pytest.mark.parametrize("known", [DeliveryState.DELIVERED, DeliveryState.READ])
def test_g6_what_was_delivered_is_not_undelivered_later(known: DeliveryState) -> None:
    assert undelivered(accepted(delivery_state=known), FIRST, NOW) is None


@pytest.mark.parametrize("state", [state for state in NotificationState if state is not NotificationState.ACCEPTED])
def test_only_what_was_accepted_can_be_undelivered(state: NotificationState) -> None:
    assert undelivered(accepted(state=state), FIRST, NOW) is None
    assert undelivered(accepted(), SECOND, NOW) is None


@pytest.mark.parametrize("reason", [Reason.APPOINTMENT_CANCELLED, Reason.TOO_LATE, Reason.HELD])
def test_r26_a_shut_gate_skips_with_its_reason(reason: Reason) -> None:
    after = skip(notification(), reason)

    assert (after.state, after.reason, after.version) == (NotificationState.SKIPPED, reason, 1)


def test_d17_one_that_was_refused_before_and_ran_out_of_time_has_failed() -> None:
    after = skip(notification(attempts=3), Reason.TOO_LATE)

    assert (after.state, after.reason) == (NotificationState.FAILED, Reason.TOO_LATE)


@pytest.mark.parametrize("reason", sorted(TRIED))
def test_d17_one_that_was_called_and_ran_out_of_channels_has_failed(reason: Reason) -> None:
    closed = (Step(Channel.EMAIL, Reason.NO_CONTACT),)
    after = shut(notification(attempts=1), Skip(reason, closed))

    assert (after.state, after.reason, after.steps) == (NotificationState.FAILED, reason, closed)


def test_a_message_placed_on_another_channel_counts_its_attempts_anew() -> None:
    moved = place(
        notification(attempts=3, step_attempts=3, step_began_at=NOW),
        Send(Route(Channel.EMAIL, EMAIL), NOW + timedelta(hours=1), Kind.REMINDER),
        "NORTH",
    )

    assert (moved.lane, moved.step_attempts, moved.step_began_at) == (Channel.EMAIL, 0, None)
    assert (moved.attempts, moved.clinic_id, moved.not_after) == (3, "NORTH", NOW + timedelta(hours=1))


def test_a_message_that_waits_for_the_hours_says_so_and_no_longer_when_it_leaves() -> None:
    held = place(notification(), Wait(NOW, Channel.SMS, NOW, reason=Reason.HELD_BACK), "NORTH")
    assert (held.state, held.reason) == (NotificationState.QUEUED, Reason.HELD_BACK)
    waiting = place(notification(), Wait(NOW + timedelta(hours=8), Channel.SMS, NOW + timedelta(days=1)), "NORTH")
    leaving = start(waiting, Send(Route(Channel.SMS, "+1"), NOW, Kind.REMINDER), visit(), FIRST, NOW)

    assert (waiting.state, waiting.reason) == (NotificationState.QUEUED, Reason.OUTSIDE_WINDOW)
    assert waiting.next_attempt_at == NOW + timedelta(hours=8)
    assert (leaving.state, leaving.reason, leaving.attempts, leaving.step_attempts) == (
        NotificationState.SENDING,
        None,
        1,
        1,
    )


def test_g5_a_persons_resend_is_a_new_message_and_the_same_one_twice() -> None:
    failed = sending(
        state=NotificationState.FAILED, reason=Reason.REFUSED, steps=(Step(Channel.SMS, Reason.REFUSED),), version=1
    )
    once, twice = again(failed, NOW), again(failed, NOW + timedelta(seconds=1))

    assert once.notification_id == twice.notification_id != failed.notification_id
    assert (once.state, once.ordinal, once.attempts, once.steps, once.version) == (
        NotificationState.QUEUED,
        1,
        0,
        (),
        0,
    )
    assert again(once, NOW).notification_id not in {once.notification_id, failed.notification_id}


def test_d37_a_persons_resend_still_says_which_visit_it_takes_the_place_of() -> None:
    other = UUID("01890000-0000-7000-8000-000000000077")

    assert again(sending(state=NotificationState.FAILED, replaces=other), NOW).replaces == other


def test_states_are_outcomes_but_for_those_the_machine_still_works_on() -> None:
    assert {outcome_of(state) for state in NotificationState} == {None, *Outcome}


def test_the_instant_of_the_first_acceptance_stays() -> None:
    before = NOW - timedelta(hours=1)

    assert settled(sending(accepted_at=before), Accepted("SM1")).accepted_at == before


def test_d32_at_its_deadline_itself_the_next_channel_may_still_be_tried() -> None:
    assert settled(sending(not_after=NOW), Rejected("30005")).state is NotificationState.QUEUED
    arrived_not = undelivered(accepted(not_after=NOW), FIRST, NOW)
    assert arrived_not is not None
    assert arrived_not.state is NotificationState.QUEUED


def test_one_that_is_on_no_channel_fails_instead_of_going_on_to_the_next() -> None:
    failed = settled(sending(lane=None), Rejected("30005"))

    assert (failed.state, failed.reason, failed.steps) == (NotificationState.FAILED, Reason.REFUSED, ())


def test_d32_a_late_acceptance_is_heard_though_other_channels_were_passed_over_since() -> None:
    steps = (Step(Channel.SMS, Reason.OUTCOME_UNKNOWN), Step(Channel.WHATSAPP, Reason.NO_CONTACT))

    taken = settled(sending(state=NotificationState.QUEUED, lane=Channel.EMAIL, steps=steps), Accepted("SM1"))

    assert (taken.state, taken.lane) == (NotificationState.ACCEPTED, Channel.SMS)


def test_one_that_waits_longer_than_its_gate_says_goes_on_waiting() -> None:
    later, until = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    gate = Wait(until, Channel.SMS, NOW + timedelta(days=1))

    waits = [place(notification(next_attempt_at=at), gate, "NORTH").next_attempt_at for at in (NOW, later)]

    assert waits == [until, later]


@pytest.mark.parametrize(("wait", "closed"), [(timedelta(minutes=5), False), (timedelta(minutes=5, seconds=1), True)])
def test_d33_a_channel_that_has_to_wait_beyond_the_deadline_is_closed_within_its_budget_too(
    wait: timedelta, closed: bool
) -> None:
    gate = Send(Route(Channel.SMS, "+4420"), NOW + timedelta(minutes=5), Kind.REMINDER, terms=TEN_MINUTES)

    after = defer(notification(), gate, "NORTH", NOW, wait)

    assert after.steps == ((Step(Channel.SMS, Reason.NOT_ACCEPTED),) if closed else ())
