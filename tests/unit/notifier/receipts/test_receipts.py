"""What a carrier's report makes of a message: evidence only adds up, in whatever order it comes (G6, D17)."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifier.ledger.domain.notification import Accepted, NotAccepted, Notification
from notifier.ledger.domain.settlement import settle
from notifier.ledger.domain.states import NotificationState
from notifier.receipts.domain import ORDER, Carrier, Effect, Made, Receipt, Reported, apply
from schemas.notifications import Channel, DeliveryState
from schemas.reminders import Reason
from tests.support.notifier.builders import FIRST, NOTIFICATION, NOW, SECOND, sending

LATER = NOW + timedelta(minutes=1)


def made(**changes: Any) -> Made:
    return replace(Made(FIRST, NOTIFICATION, Channel.SMS, None, DeliveryState.UNKNOWN), **changes)


def report(status: Reported) -> Receipt:
    return Receipt(Carrier.TWILIO, f"SM1/{status}", status, attempt_id=FIRST, reference="SM1")


def accepted(**changes: Any) -> Notification:
    return sending(**{"state": NotificationState.ACCEPTED, "version": 1, "accepted_at": NOW, **changes})


def fold(held: Notification, *statuses: Reported) -> tuple[Notification, Made, list[Effect]]:
    """Apply reports one after the other, as the store does."""
    attempt, effects = made(), []
    for status in statuses:
        effect = apply(held, attempt, report(status), LATER)
        effects.append(effect)
        held, attempt = effect.kept or held, replace(attempt, delivery_state=effect.attempt or attempt.delivery_state)
    return held, attempt, effects


@pytest.mark.parametrize("state", [NotificationState.SENDING, NotificationState.UNKNOWN])
@pytest.mark.parametrize("status", [Reported.ACCEPTED, Reported.DELIVERED, Reported.READ])
def test_a_report_before_our_own_reply_or_after_it_was_lost_settles_the_message(
    state: NotificationState, status: Reported
) -> None:
    effect = apply(sending(state=state, version=1), made(), report(status), LATER)

    assert effect.kept == effect.told
    assert effect.kept is not None
    assert (effect.kept.state, effect.kept.version, effect.kept.accepted_at) == (NotificationState.ACCEPTED, 2, LATER)
    assert effect.kept.delivery_state is status.delivery_state


def test_our_own_answer_changes_nothing_after_the_report() -> None:
    held, _, _ = fold(sending(), Reported.ACCEPTED)

    assert settle(held, FIRST, NotAccepted("HTTP_500"), LATER, 0.5) is None
    assert settle(held, FIRST, Accepted("SM1"), LATER, 0.5) is None


@pytest.mark.parametrize("order", list(permutations([Reported.ACCEPTED, Reported.DELIVERED, Reported.READ])))
def test_in_any_order_the_end_is_the_same_and_never_steps_back(order: tuple[Reported, ...]) -> None:
    held, attempt, effects = fold(accepted(), *order)

    told = [effect.told.delivery_state for effect in effects if effect.told]
    assert (held.state, held.delivery_state, attempt.delivery_state) == (
        NotificationState.ACCEPTED,
        DeliveryState.READ,
        DeliveryState.READ,
    )
    assert told == sorted(told, key=ORDER.index)


def test_a_doubled_report_is_told_once() -> None:
    _, _, effects = fold(accepted(), Reported.DELIVERED, Reported.DELIVERED)

    assert [effect.told is not None for effect in effects] == [True, False]


def test_undelivered_before_the_deadline_opens_the_next_step_at_once() -> None:
    held, attempt, (effect,) = fold(accepted(), Reported.UNDELIVERED)

    assert effect.told is not None
    assert (effect.told.state, effect.told.delivery_state) == (NotificationState.ACCEPTED, DeliveryState.UNDELIVERED)
    assert (held.state, held.version, held.next_attempt_at) == (NotificationState.QUEUED, 2, LATER)
    assert [(step.channel, step.reason) for step in held.steps] == [(Channel.SMS, Reason.UNDELIVERED)]
    assert attempt.delivery_state is DeliveryState.UNDELIVERED


def test_undelivered_after_the_deadline_leaves_it_accepted_and_undelivered() -> None:
    held, _, _ = fold(accepted(not_after=NOW), Reported.UNDELIVERED)

    assert (held.state, held.delivery_state) == (NotificationState.ACCEPTED, DeliveryState.UNDELIVERED)


def test_a_failure_before_our_own_reply_opens_the_next_step_too() -> None:
    held, _, (effect,) = fold(sending(), Reported.UNDELIVERED)

    assert effect.told is not None
    assert (effect.told.state, held.state, held.version) == (NotificationState.ACCEPTED, NotificationState.QUEUED, 1)


def test_undelivered_after_delivered_changes_nothing() -> None:
    held, _, effects = fold(accepted(), Reported.DELIVERED, Reported.UNDELIVERED)

    assert (held.state, held.delivery_state) == (NotificationState.ACCEPTED, DeliveryState.DELIVERED)
    assert effects[1] == Effect()


def test_delivered_after_undelivered_takes_the_message_back_from_the_queue() -> None:
    held, _, _ = fold(accepted(), Reported.UNDELIVERED, Reported.DELIVERED)

    assert (held.state, held.delivery_state, held.version) == (NotificationState.ACCEPTED, DeliveryState.DELIVERED, 3)


def test_sent_after_undelivered_does_not() -> None:
    held, _, _ = fold(accepted(), Reported.UNDELIVERED, Reported.ACCEPTED)

    assert held.state is NotificationState.QUEUED


@pytest.mark.parametrize(
    "state",
    [
        NotificationState.QUEUED,
        NotificationState.FAILED,
        NotificationState.SKIPPED,
        NotificationState.SENDING,
        NotificationState.UNKNOWN,
    ],
)
def test_an_earlier_attempt_that_was_taken_after_all_ends_the_trying(state: NotificationState) -> None:
    held = sending(state=state, attempt_id=SECOND, attempts=2, lane=Channel.EMAIL, version=4, reason=Reason.REFUSED)

    effect = apply(held, made(outcome="not-accepted"), report(Reported.DELIVERED), LATER)

    assert effect.kept is not None
    assert (effect.kept.state, effect.kept.attempt_id, effect.kept.lane) == (
        NotificationState.ACCEPTED,
        FIRST,
        Channel.SMS,
    )
    assert (effect.kept.version, effect.kept.reason) == (5, None)


def test_an_earlier_attempt_that_did_not_arrive_changes_nothing_of_the_message() -> None:
    held = accepted(attempt_id=SECOND, lane=Channel.EMAIL)

    effect = apply(held, made(outcome="unknown"), report(Reported.UNDELIVERED), LATER)

    assert effect == Effect(DeliveryState.UNDELIVERED)


def test_read_on_an_earlier_channel_is_known_of_the_message_whichever_was_accepted() -> None:
    held = accepted(attempt_id=SECOND, lane=Channel.EMAIL, delivery_state=DeliveryState.UNDELIVERED)

    effect = apply(held, made(delivery_state=DeliveryState.UNDELIVERED), report(Reported.READ), LATER)

    assert effect.kept is not None
    assert (effect.kept.delivery_state, effect.kept.lane) == (DeliveryState.READ, Channel.EMAIL)


@settings(deadline=None)
@given(
    state=st.sampled_from([state for state in NotificationState if state is not NotificationState.SKIPPED]),
    reports=st.lists(st.tuples(st.sampled_from([FIRST, SECOND]), st.sampled_from(list(Reported))), max_size=12),
)
def test_whatever_comes_about_two_attempts_evidence_only_adds_up(
    state: NotificationState, reports: list[tuple[UUID, Reported]]
) -> None:
    held = sending(state=state, attempt_id=SECOND, attempts=2, lane=Channel.EMAIL, version=3)
    attempts = {
        FIRST: made(outcome="unknown"),
        SECOND: made(attempt_id=SECOND, channel=Channel.EMAIL, outcome=None),
    }
    for attempt_id_, status in reports:
        before = attempts[attempt_id_]
        effect = apply(held, before, replace(report(status), attempt_id=attempt_id_), LATER)
        reached = effect.attempt or before.delivery_state
        assert reached is max(before.delivery_state, status.delivery_state, key=ORDER.index)
        attempts[attempt_id_] = replace(before, delivery_state=reached)
        assert (effect.told is None) == (effect.kept is None)
        if effect.told is None or effect.kept is None:
            continue
        assert (effect.told.state, effect.told.version, effect.kept.version) == (
            NotificationState.ACCEPTED, held.version + 1, held.version + 1,
        )  # fmt: skip
        assert ORDER.index(effect.kept.delivery_state) >= ORDER.index(held.delivery_state)
        assert effect.kept.state is NotificationState.ACCEPTED or status is Reported.UNDELIVERED
        held = effect.kept
    arrived = {one.delivery_state for one in attempts.values()} & {DeliveryState.DELIVERED, DeliveryState.READ}
    if arrived:
        assert held.state is NotificationState.ACCEPTED
        assert held.delivery_state is max(arrived, key=ORDER.index)


def test_an_earlier_attempt_that_did_not_arrive_is_no_reason_to_take_a_message_that_waits_for_accepted() -> None:
    waits = sending(state=NotificationState.QUEUED, attempt_id=SECOND)

    effect = apply(waits, made(), report(Reported.UNDELIVERED), LATER)

    assert (effect.attempt, effect.told) == (DeliveryState.UNDELIVERED, None)


def test_what_arrived_by_one_attempt_is_not_undelivered_by_another() -> None:
    held = accepted(delivery_state=DeliveryState.DELIVERED)

    effect = apply(held, made(), report(Reported.UNDELIVERED), LATER)

    assert (effect.attempt, effect.told) == (DeliveryState.UNDELIVERED, None)


def test_what_is_said_again_to_be_undelivered_opens_no_other_step() -> None:
    held = accepted(delivery_state=DeliveryState.UNDELIVERED)

    assert apply(held, made(delivery_state=DeliveryState.UNDELIVERED), report(Reported.UNDELIVERED), LATER) == Effect()


@pytest.mark.parametrize("attempt_id", [FIRST, SECOND])
def test_the_instant_of_the_first_acceptance_stays(attempt_id: UUID) -> None:
    held = sending(state=NotificationState.UNKNOWN, attempt_id=attempt_id, accepted_at=NOW, version=1)

    effect = apply(held, made(), report(Reported.DELIVERED), LATER)

    assert effect.kept is not None
    assert (effect.kept.state, effect.kept.accepted_at) == (NotificationState.ACCEPTED, NOW)
