"""When a lane leaves its carrier alone, and how it finds out that it is back."""

import pytest

from notifier.lanes.domain.breaker import Breaker, BreakerState, is_failure
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Accepted, CarrierResult, NotAccepted, NotStarted, Rejected, Unsure

DOWN = NotAccepted("ConnectError")
UP: CarrierResult = Accepted("r")
NEW = Breaker(most_failures=3, open_s=15.0, probe_s=10.0)


def after(breaker: Breaker, *answers: CarrierResult, at: float = 0.0) -> Breaker:
    for answer in answers:
        breaker = breaker.after(answer, at)
    return breaker


@pytest.mark.parametrize(
    ("answer", "failed"),
    [
        *((NotAccepted("X", fault=fault), fault in {Fault.CARRIER, Fault.ACCOUNT}) for fault in Fault),
        (NotAccepted("ConnectError"), True),
        (Unsure("TIMEOUT"), True),
        (Rejected("HTTP_400"), False),
        (Accepted("r"), False),
        (NotStarted(), False),
    ],
)
def test_a_failure_blames_the_carrier_or_our_account_and_not_the_message(answer: CarrierResult, failed: bool) -> None:
    assert is_failure(answer) == failed


def test_one_refusal_of_our_account_opens_it_at_once() -> None:
    refused = NotAccepted("SMTP_535", fault=Fault.ACCOUNT)

    assert after(NEW, refused).standing(0.0) is BreakerState.OPEN
    assert after(after(NEW, refused, at=0.0), UP, at=15.0) == NEW


def test_it_opens_after_so_many_failures_in_a_row_and_not_before() -> None:
    assert after(NEW, DOWN, DOWN).standing(0.0) is BreakerState.CLOSED
    assert after(NEW, DOWN, DOWN, DOWN).standing(0.0) is BreakerState.OPEN


@pytest.mark.parametrize("answer", [UP, Rejected("HTTP_400"), NotAccepted("HTTP_429", fault=Fault.THROTTLE)])
def test_an_answer_of_any_kind_ends_the_row(answer: CarrierResult) -> None:
    assert after(NEW, DOWN, DOWN, answer, DOWN, DOWN).standing(0.0) is BreakerState.CLOSED


def begun(breaker: Breaker, at: float) -> Breaker:
    after_it = breaker.begin(at)
    assert after_it is not None
    return after_it


def test_while_open_no_call_begins_and_afterwards_one() -> None:
    opened = after(NEW, DOWN, DOWN, DOWN, at=100.0)

    assert [opened.allows(8, at) for at in (100.0, 114.9, 115.0)] == [0, 0, 1]
    assert opened.begin(114.9) is None
    asking = begun(opened, 115.0)
    assert asking.allows(8, 116.0) == 0
    assert asking.begin(116.0) is None
    assert NEW.allows(8, 0.0) == 8
    assert NEW.begin(0.0) == NEW


def test_the_one_call_decides() -> None:
    asking = begun(after(NEW, DOWN, DOWN, DOWN), 20.0)

    assert asking.standing(20.0) is BreakerState.HALF_OPEN
    assert asking.after(UP, 20.0) == NEW
    assert asking.after(DOWN, 20.0).allows(8, 34.9) == 0
    assert asking.after(DOWN, 20.0).allows(8, 35.0) == 1


def test_a_call_that_was_to_ask_and_never_says_a_word_keeps_it_shut_no_longer_than_a_call_may_last() -> None:
    asking = begun(after(NEW, DOWN, DOWN, DOWN), 20.0)

    assert [asking.allows(8, at) for at in (29.9, 30.0)] == [0, 1]


def test_failures_of_calls_that_were_under_way_do_not_make_it_wait_anew() -> None:
    opened = after(NEW, DOWN, DOWN, DOWN, at=100.0)

    assert after(opened, DOWN, DOWN, at=110.0).allows(8, 115.0) == 1
    assert after(opened, UP, at=101.0).standing(101.0) is BreakerState.CLOSED
