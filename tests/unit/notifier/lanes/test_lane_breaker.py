"""A lane over a carrier that asks for patience, or is down: rate, pause and breaker."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from notifier.carriers.port import CannotCompose
from notifier.gate.domain.chain import Step
from notifier.lanes.domain.breaker import BreakerState
from notifier.ledger.domain.notification import Accepted, NotAccepted
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.support.notifier.builders import NOW, notification
from tests.support.waiting import until
from tests.unit.notifier.lane_fakes import FakeCarrier, MemoryLedger, lane_over, reminders, run_while


async def test_a_carrier_that_asks_for_patience_pauses_the_lane_for_the_longest_it_asked() -> None:
    ledger = MemoryLedger(notification())
    carrier = FakeCarrier(ledger, answer=NotAccepted("HTTP_429", timedelta(seconds=40)))

    await run_while(lane_over(ledger, carrier), lambda: not ledger.pauses)

    assert ledger.pauses == [("ours", 40.0)]


async def test_a_lane_with_a_rate_begins_as_many_calls_as_there_are_tokens_and_gives_back_the_rest() -> None:
    ledger = MemoryLedger(*reminders(12))
    ledger.tokens = 5
    carrier = FakeCarrier(ledger)

    await run_while(lane_over(ledger, carrier, per_second=5.0), lambda: len(carrier.calls) < 5)
    assert (len(carrier.calls), ledger.tokens) == (5, 0)

    ledger.tokens = 100
    await run_while(lane_over(ledger, carrier, per_second=5.0), lambda: len(carrier.calls) < 12)
    assert (len(carrier.calls), ledger.tokens) == (12, 93)


async def test_b10_a_carrier_that_is_down_is_asked_by_one_call_at_a_time() -> None:
    ledger = MemoryLedger(*reminders(30))
    carrier = FakeCarrier(ledger, answer=NotAccepted("ConnectError"))
    lane = lane_over(ledger, carrier, slots=3)

    await run_while(lane, lambda: lane.breakers["ours"] is BreakerState.CLOSED)
    rested = len(carrier.calls)
    ledger.machine_s += 15.0
    await run_while(lane, lambda: len(carrier.calls) == rested or lane.breakers["ours"] is BreakerState.HALF_OPEN)

    assert 3 <= rested <= 6
    assert len(carrier.calls) == rested + 1
    assert lane.breakers["ours"] is BreakerState.OPEN


async def test_b10_while_it_rests_messages_wait_and_move_to_their_next_channel_when_their_budget_is_over() -> None:
    fresh, spent = reminders(2)
    spent = replace(spent, step_began_at=NOW - timedelta(minutes=31))
    ledger = MemoryLedger(fresh, spent)
    lane = lane_over(ledger, FakeCarrier(ledger, answer=NotAccepted("ConnectError")), failures=1)
    ledger.held = {}
    one = notification(notification_id=uuid4(), appointment_id=uuid4())
    ledger.held[one.notification_id] = one
    await run_while(lane, lambda: lane.breakers["ours"] is BreakerState.CLOSED)

    ledger.held = {held.notification_id: held for held in (fresh, spent)}
    await run_while(lane, lambda: ledger.held[spent.notification_id].lane is Channel.SMS)

    waiting, moved = (ledger.held[held.notification_id] for held in (fresh, spent))
    assert (waiting.state, waiting.lane, waiting.step_began_at) == (NotificationState.QUEUED, Channel.SMS, NOW)
    assert waiting.next_attempt_at > NOW
    assert (moved.state, moved.lane, moved.steps) == (
        NotificationState.QUEUED,
        Channel.EMAIL,
        (Step(Channel.SMS, Reason.NOT_ACCEPTED),),
    )


async def test_b10_a_message_that_cannot_be_written_does_not_keep_the_lane_shut() -> None:
    """It was the one call that was to find out whether the carrier is back."""
    ledger = MemoryLedger(*reminders(1))
    carrier = FakeCarrier(ledger, answer=NotAccepted("ConnectError"))
    lane = lane_over(ledger, carrier, failures=1)
    await run_while(lane, lambda: lane.breakers["ours"] is BreakerState.CLOSED)

    carrier.answers(CannotCompose("UndefinedError"))
    ledger.held = {held.notification_id: held for held in reminders(1)}
    ledger.machine_s += 15.0
    await run_while(lane, lambda: "Rejected" not in ledger.attempts.values())
    carrier.answers(Accepted("r"))
    ledger.held = {held.notification_id: held for held in reminders(1)}
    await run_while(lane, lambda: lane.breakers["ours"] is not BreakerState.CLOSED)

    assert [held.state for held in ledger.held.values()] == [NotificationState.ACCEPTED]


async def test_b10_a_probe_that_meets_a_carriers_patience_does_not_keep_the_lane_shut() -> None:
    """The lane rests for 15 s, its carrier asked for 20: the call that was to ask waits, and another one asks later."""
    ledger = MemoryLedger(*reminders(1))
    carrier = FakeCarrier(ledger, answer=NotAccepted("HTTP_503", timedelta(seconds=20)))
    lane = lane_over(ledger, carrier, failures=1)
    await run_while(lane, lambda: lane.breakers["ours"] is BreakerState.CLOSED)

    carrier.answers(Accepted("r"))
    ledger.held = {held.notification_id: held for held in reminders(1)}
    ledger.machine_s += 15.0
    await run_while(lane, lambda: "NotStarted" not in ledger.attempts.values())
    assert len(carrier.calls) == 1
    ledger.machine_s += 5.0
    await run_while(lane, lambda: lane.breakers["ours"] is not BreakerState.CLOSED)

    assert [held.state for held in ledger.held.values()] == [NotificationState.ACCEPTED]


async def test_b10_a_claim_under_way_while_the_breaker_opens_does_not_shut_the_lane_for_good() -> None:
    """Its calls are refused, for they were gated before; that says nothing of a call that is to ask later."""
    ledger = MemoryLedger(*reminders(2))
    carrier = FakeCarrier(ledger, answer=NotAccepted("ConnectError"))
    lane = lane_over(ledger, carrier, slots=4, failures=2)
    stop, carrier.waits = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(lane.run(stop))
    await until(lambda: len(carrier.calls) == 2)
    ledger.gate_waits = asyncio.Event()
    ledger.held |= {held.notification_id: held for held in reminders(2)}
    lane.wake()
    await until(lambda: ledger.gates == 2)  # a second claim waits for the gate
    carrier.waits.set()
    await until(lambda: lane.breakers["ours"] is BreakerState.OPEN)
    ledger.gate_waits.set()
    await until(lambda: list(ledger.attempts.values()).count("NotStarted") == 2)

    carrier.answers(Accepted("r"))
    ledger.machine_s += 15.0
    ledger.held |= {held.notification_id: held for held in reminders(1)}
    lane.wake()
    await until(lambda: len(carrier.calls) >= 3)
    stop.set()
    await running


async def test_b10_what_waited_for_a_slot_when_the_breaker_opened_is_not_called() -> None:
    ledger = MemoryLedger(*reminders(20))
    carrier = FakeCarrier(ledger, answer=NotAccepted("ConnectError"))
    lane = lane_over(ledger, carrier, slots=2, failures=2)

    await run_while(lane, lambda: lane.breakers["ours"] is BreakerState.CLOSED)

    assert 2 <= len(carrier.calls) <= 4
