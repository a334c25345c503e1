"""A lane's loop over a ledger in memory: what it never does, however slow or broken its surroundings."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from notifier.carriers.port import CannotCompose
from notifier.lanes.handle.claims import claim
from notifier.lanes.handle.judgement import AWAITED, Asking, record
from notifier.lanes.handle.limits import Limits
from notifier.lanes.handle.ports import Answered
from notifier.ledger.domain.notification import NotAccepted, NotStarted
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import APPOINTMENT, NOW, notification
from tests.unit.notifier.lane_fakes import (
    ACCOUNTS,
    LIVE,
    FakeCarrier,
    MemoryLedger,
    lane_over,
    reminders,
    run_until,
    run_while,
)


async def test_r25_everything_due_is_called_once_and_its_answer_written_down() -> None:
    ledger = MemoryLedger(*reminders(20))
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, NotificationState.ACCEPTED)

    assert len(carrier.calls) == len({call.notification_id for call in carrier.calls}) == 20
    assert set(ledger.attempts.values()) == {"Accepted"}
    assert {one.version for one in ledger.published} == {1}
    ends = NOW.replace(hour=21)
    assert {call.arrives_by for call in carrier.calls} == {ends}


async def test_a_lane_never_makes_more_calls_at_once_than_it_has_slots() -> None:
    ledger = MemoryLedger(*reminders(12))
    carrier = FakeCarrier(ledger, slow_s=0.05)

    await run_until(ledger, carrier, NotificationState.ACCEPTED, slots=3)

    assert carrier.most_at_once == 3


async def test_g5_a_call_whose_gate_is_older_than_5_s_is_gated_again_before_it_is_made() -> None:
    """The process freezes between gate and call."""
    ledger = MemoryLedger(notification(), slow_gate_s=5.1)
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, NotificationState.ACCEPTED)

    assert [one.attempts for one in ledger.held.values()] == [1]
    assert sorted(ledger.attempts.values()) == ["Accepted", "NotStarted"]


async def test_g5_a_carrier_that_is_silent_or_breaks_leaves_unknown() -> None:
    for slow_s, answer in ((600.0, None), (0.0, RuntimeError("a library's surprise"))):
        ledger = MemoryLedger(notification())
        carrier = FakeCarrier(ledger, slow_s, answer)
        await run_until(ledger, carrier, NotificationState.UNKNOWN, timeout_s=0.1)
        assert len(carrier.calls) == 1


async def test_a_message_that_cannot_be_written_is_refused_without_a_call() -> None:
    ledger = MemoryLedger(notification())
    ledger.visit = replace(ledger.visit, email=None)
    carrier = FakeCarrier(ledger, answer=CannotCompose("UndefinedError"))

    await run_until(ledger, carrier, NotificationState.FAILED)

    assert carrier.calls == []
    assert [one.reason for one in ledger.published] == [Reason.REFUSED]


async def test_r24_a_temporary_refusal_is_not_called_again_before_its_instant() -> None:
    ledger = MemoryLedger(notification())
    carrier = FakeCarrier(ledger, answer=NotAccepted("HTTP_503"))
    stop = asyncio.Event()
    running = asyncio.create_task(lane_over(ledger, carrier).run(stop))
    async with asyncio.timeout(60):
        while "NotAccepted" not in ledger.attempts.values():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        stop.set()
        await running

    [held] = ledger.held.values()
    assert len(carrier.calls) == 1
    assert (held.state, held.attempts) == (NotificationState.QUEUED, 1)
    assert timedelta(seconds=4) <= held.next_attempt_at - NOW <= timedelta(seconds=6)


async def test_nothing_is_claimed_while_the_clocks_differ() -> None:
    ledger = MemoryLedger(notification())
    carrier = FakeCarrier(ledger)
    stop = asyncio.Event()
    running = asyncio.create_task(lane_over(ledger, carrier, differs="the clocks differ by 7.0 s").run(stop))
    await asyncio.sleep(0.1)
    stop.set()
    await running

    assert carrier.calls == []
    assert ledger.attempts == {}


async def test_d31_a_message_whose_channel_is_another_now_goes_to_that_lane_unsent() -> None:
    ledger = MemoryLedger(notification())
    ledger.visit = replace(ledger.visit, mobile=None)
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, NotificationState.QUEUED, lane=Channel.EMAIL)

    assert carrier.calls == []
    assert ledger.attempts == {}


async def test_g5_a_claim_cut_at_its_commit_leaves_nothing_unknown() -> None:
    """It had landed: its calls were authorised and never begun, and the lane that knows so says so."""
    ledger = MemoryLedger(*reminders(3))
    ledger.loses_next = True
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, NotificationState.ACCEPTED)

    assert [one.attempts for one in ledger.held.values()] == [1, 1, 1]
    assert sorted(ledger.attempts.values()) == ["Accepted"] * 3 + ["NotStarted"] * 3


async def test_g5_who_lost_a_claim_gives_back_no_claim_of_another_instances() -> None:
    """Its commit did not land, and another instance claims the message before it says that its call never began."""
    ledger, now = MemoryLedger(notification()), NOW
    before = dict(ledger.held)
    asking = Asking(Channel.SMS, {"ours": 1}, ACCOUNTS, LIVE, now, ledger.machine_s)
    [lost] = (await claim(ledger, asking)).calls
    ledger.held, ledger.attempts = before, {}
    [made] = (await claim(ledger, asking)).calls

    assert await record(ledger, Channel.SMS, [Answered(lost, NotStarted())], now, 0.5) == []

    [held] = ledger.held.values()
    assert (held.state, held.attempt_id, held.attempts) == (NotificationState.SENDING, made.attempt_id, 1)


@pytest.mark.parametrize(
    ("slots", "call_s", "places"),
    [
        (16, 0.005, 64),
        (8, 0.02, 32),
        (16, 0.6, 48),
        (16, 1.5, 16),
        (16, 10.0, 16),
        (64, 0.02, 128),
        (100, 0.02, 200),
        (64, 1.5, 64),
    ],
)
def test_a_lane_claims_ahead_only_what_gets_a_slot_while_its_gate_is_fresh(
    slots: int, call_s: float, places: int
) -> None:
    assert Limits(slots, 10.0).places(call_s) == places


async def test_b10_calls_that_hang_leave_the_other_slots_at_work() -> None:
    """Three of four slots are taken by a silent carrier; the rest still goes out."""
    hung, quick = reminders(3), reminders(10)
    ledger = MemoryLedger(*hung, *quick)
    carrier = FakeCarrier(ledger)
    carrier.hangs_for({one.notification_id for one in hung})

    await run_while(
        lane_over(ledger, carrier, slots=4, timeout_s=2.0),
        lambda: any(ledger.held[one.notification_id].state is not NotificationState.ACCEPTED for one in quick),
    )

    assert {ledger.held[one.notification_id].state for one in hung} == {NotificationState.UNKNOWN}


@pytest.mark.parametrize("surprise", [asyncio.CancelledError(), RuntimeError("a library's surprise")])
async def test_b10_a_call_that_breaks_in_any_way_gives_its_place_back(surprise: BaseException) -> None:
    """One more of them than there are places would stop the lane."""
    ledger = MemoryLedger(*reminders(9))
    carrier = FakeCarrier(ledger, answer=surprise)
    ledger.machine_s = 0.0

    await run_while(
        lane_over(ledger, carrier, slots=1, failures=1000),
        lambda: any(held.state is not NotificationState.UNKNOWN for held in ledger.held.values()),
    )

    assert len(carrier.calls) == 9


async def test_b10_a_call_that_does_not_end_when_it_is_given_up_keeps_no_slot() -> None:
    hung, quick = reminders(1)[0], reminders(1)[0]
    ledger = MemoryLedger(hung, quick)
    carrier = FakeCarrier(ledger)
    carrier.clings_to(hung.notification_id)

    await run_while(
        lane_over(ledger, carrier, slots=1, timeout_s=0.05),
        lambda: ledger.held[quick.notification_id].state is not NotificationState.ACCEPTED,
    )

    carrier.lets_go.set()
    assert ledger.held[hung.notification_id].state is NotificationState.UNKNOWN


async def test_d18_three_messages_of_one_visit_in_one_claim_are_two_and_a_limit() -> None:
    ledger = MemoryLedger(*(notification(notification_id=uuid4()) for _ in range(3)))
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, NotificationState.ACCEPTED, NotificationState.SKIPPED)

    became = sorted((held.state, held.reason or "") for held in ledger.held.values())
    assert became == [
        (NotificationState.ACCEPTED, ""),
        (NotificationState.ACCEPTED, ""),
        (NotificationState.SKIPPED, Reason.LIMIT),
    ]
    assert len(carrier.calls) == 2


async def test_g5_two_news_to_one_recipient_are_not_under_way_at_once() -> None:
    """Of one visit, or of one and another in its place (D37); a reminder beside them is none."""
    other = uuid4()
    first = notification(notification_id=uuid4(), kind=Kind.CONFIRMATION)
    second = notification(notification_id=uuid4(), kind=Kind.MOVED)
    in_place = notification(notification_id=uuid4(), kind=Kind.MOVED, appointment_id=other, replaces=APPOINTMENT)
    reminder = notification(notification_id=uuid4())
    alone = notification(notification_id=uuid4(), kind=Kind.CONFIRMATION, appointment_id=uuid4())
    ledger = MemoryLedger(first, second, in_place, reminder, alone)
    ledger.visit = replace(ledger.visit, email=None)
    asking = Asking(Channel.SMS, {"ours": 10}, ACCOUNTS, LIVE, NOW, 0.0)

    claimed = await claim(ledger, asking)

    assert {call.notification_id for call in claimed.calls} == {one.notification_id for one in (first, reminder, alone)}
    waiting = {one.notification_id: one.next_attempt_at for one in claimed.waiting}
    assert waiting == dict.fromkeys((second.notification_id, in_place.notification_id), NOW + AWAITED)
    assert ledger.held[second.notification_id].state is NotificationState.QUEUED
