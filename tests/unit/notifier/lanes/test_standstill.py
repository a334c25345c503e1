"""When a lane stands still: messages are due and no call begins."""

from datetime import timedelta

import pytest

from notifier.lanes.domain.standstill import Standstill
from notifier.lanes.handle.limits import Limits
from tests.support.notifier.builders import NOW
from tests.unit.notifier.lane_fakes import FakeCarrier, MemoryLedger, NoWatch, lane_over, reminders, run_while

NEW = Standstill()


def seen(*looks: tuple[float, bool, int]) -> Standstill:
    """Return what is known after looks at these instants: messages were due or not, so many calls had begun."""
    known = NEW
    for at, due, begun in looks:
        known = known.after(due, begun, at)
    return known


@pytest.mark.parametrize(
    ("looks", "seconds"),
    [
        ([(0.0, True, 0), (50.0, True, 0)], 60.0),
        ([(0.0, True, 0), (50.0, False, 0)], 0.0),
        ([(0.0, True, 0), (20.0, False, 0), (50.0, True, 0)], 10.0),
        ([(0.0, True, 0), (50.0, True, 1)], 10.0),
        ([(0.0, True, 0), (50.0, False, 1)], 0.0),
        ([(0.0, True, 7), (50.0, True, 7)], 60.0),
    ],
)
def test_it_counts_from_when_messages_were_first_due_since_the_last_call(
    looks: list[tuple[float, bool, int]], seconds: float
) -> None:
    assert seen(*looks).seconds(60.0) == seconds


@pytest.mark.parametrize(
    ("limits", "seconds"),
    [
        (Limits(4, timeout_s=10.0), 60.0),
        (Limits(4, timeout_s=10.0, per_second=0.1), 160.0),
        (Limits(4, timeout_s=60.0), 160.0),
        (Limits(4, timeout_s=10.0, breaker_open_s=300.0), 630.0),
    ],
)
def test_a_rest_a_slow_call_and_a_low_rate_are_no_standstill(limits: Limits, seconds: float) -> None:
    assert limits.still_s == seconds


async def test_a_lane_that_stands_still_is_not_ready_and_counted_once_until_it_calls_again() -> None:
    """Whatever keeps it: here a claim that finds nothing although messages are due."""
    ledger = MemoryLedger(*reminders(1), hides_due=True)
    watch, carrier = NoWatch(), FakeCarrier(ledger)
    lane = lane_over(ledger, carrier, timeout_s=10.0, watch=watch)

    await run_while(lane, lambda: not ledger.looks)
    ready_at_first = lane.reason()
    ledger.machine_s += 60.1
    await run_while(lane, lambda: not watch.stood_still)
    ledger.machine_s += 60.1
    looks = ledger.looks
    await run_while(lane, lambda: ledger.looks == looks)
    reason = lane.reason()
    ledger.hides_due = False
    await run_while(lane, lambda: lane.reason() is not None)

    assert ready_at_first is None
    assert reason == "sms by ours: messages are due and no call has begun for 120 s; restart this process"
    assert (len(carrier.calls), watch.stood_still) == (1, 1)


async def test_a_lane_with_nothing_due_does_not_stand_still() -> None:
    [later] = reminders(1)
    ledger = MemoryLedger(later.but(next_attempt_at=NOW + timedelta(hours=1)))
    lane = lane_over(ledger, FakeCarrier(ledger))

    await run_while(lane, lambda: not ledger.looks)
    ledger.machine_s += 3600

    assert lane.reason() is None
