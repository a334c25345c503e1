"""A message whose row or decision raises is taken aside; the others leave, and a fault of ours loses none of them."""

import asyncio
from collections.abc import Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from chassis.process.errors import Unavailable
from notifier.carriers.port import Made
from notifier.lanes.domain.undecided import LONGEST_PUT_OFF, MOST, PUT_OFF, WITHIN_S, Undecided
from notifier.lanes.handle.claims import Undecidable, claim
from notifier.lanes.handle.judgement import Asking
from notifier.lanes.handle.lane import Step
from notifier.lanes.handle.leases import move_on, settle_late
from notifier.lanes.handle.one_by_one import OneByOne
from notifier.ledger.domain.notification import Notification, Row
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import NOW, sending
from tests.support.waiting import until
from tests.unit.notifier.lane_fakes import (
    ACCOUNTS,
    LIVE,
    FakeCarrier,
    MemoryLedger,
    NoWatch,
    lane_over,
    reminders,
    run_while,
)


@pytest.fixture(autouse=True)
def lines() -> Iterator[list[MutableMapping[str, Any]]]:
    """Give what is logged."""
    with capture_logs() as captured:
        yield captured


def odd(count: int = 1) -> list[Notification]:
    """Return reminders at a clinic whose zone is none."""
    return [replace(one, clinic_id="ODD") for one in reminders(count)]


def ledger_of(*messages: Notification) -> MemoryLedger:
    """Return a ledger with these messages, soonest deadline first; of a clinic ODD no visit can be decided about."""
    ledger = MemoryLedger(*messages)
    ledger.zones = {"ODD": "Europe/Nowhere"}
    return ledger


def one_by_one(ledger: MemoryLedger) -> OneByOne:
    return OneByOne(Channel.SMS, ledger, NoWatch(), lambda: ledger.machine_s)


def failed(ledger: MemoryLedger) -> list[UUID]:
    aside = [one for one in ledger.held.values() if one.state is NotificationState.FAILED]
    assert all(one.reason is Reason.UNDECIDABLE for one in aside)
    return [one.notification_id for one in aside]


@pytest.mark.parametrize("place", [0, 3, 6])
async def test_a_message_that_cannot_be_decided_waits_and_all_others_leave(place: int) -> None:
    wrong, others = odd()[0], reminders(6)
    ledger, watch = ledger_of(*others[:place], wrong, *others[place:]), NoWatch()
    carrier = FakeCarrier(ledger)

    await run_while(
        lane_over(ledger, carrier, watch=watch),
        lambda: any(
            one.next_attempt_at <= NOW and one.state is not NotificationState.ACCEPTED for one in ledger.held.values()
        ),
    )

    assert ledger.held[wrong.notification_id].next_attempt_at == NOW + PUT_OFF
    assert (len(carrier.calls), watch.not_decided) == (6, 1)
    assert wrong.notification_id not in {one.notification_id for one in ledger.published}


class Rounds:
    """One lane's way with what raised, looking at all that is due, time passing between."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self.ledger, self.passed = ledger, timedelta(0)
        self.one_by_one = one_by_one(ledger)

    async def look(self, *only: Notification, after: timedelta = PUT_OFF) -> None:
        """Let time pass, then do these, or all that are due by then, one by one."""
        self.passed += after
        self.ledger.machine_s += after.total_seconds()
        due = [one for one in self.ledger.held.values() if one.next_attempt_at <= NOW + self.passed]
        ids = [one.notification_id for one in only or due if one.state is NotificationState.QUEUED]
        asking = Asking(Channel.SMS, {"ours": 500}, ACCOUNTS, LIVE, NOW + self.passed, self.ledger.machine_s)
        await self.one_by_one.judge(Undecidable(ids, asking))


async def test_one_that_raises_again_is_taken_aside_once_another_was_decided_meanwhile(
    lines: list[MutableMapping[str, Any]],
) -> None:
    [wrong], [well] = odd(), reminders(1)
    ledger = ledger_of(wrong, replace(well, next_attempt_at=NOW + PUT_OFF))
    rounds = Rounds(ledger)

    await rounds.look(after=timedelta(0))
    first = failed(ledger)
    await rounds.look()

    assert (first, failed(ledger)) == ([], [wrong.notification_id])
    assert wrong.notification_id in {one.notification_id for one in ledger.published}
    told = [line for line in lines if line["event"] == "message.undecidable"]
    assert [line["kept"] for line in told] == [True, False]
    assert {(line["notification_id"], line["lane"]) for line in told} == {(str(wrong.notification_id), "sms")}
    assert {type(line["exc_info"]).__name__ for line in told} == {"UnknownZone"}


async def test_a_fault_of_ours_at_any_pace_fails_nothing_and_is_told_of_until_something_is_decided() -> None:
    """Four messages in a minute, each by itself, and none can be decided."""
    messages = [replace(one, not_after=NOW + timedelta(days=1)) for one in reminders(3 * MOST)]
    ledger = MemoryLedger(*messages)
    ledger.breaks = True
    rounds = Rounds(ledger)

    for one in messages:
        await rounds.look(one, after=timedelta(seconds=16))
    reason = rounds.one_by_one.reason()
    await rounds.look(after=timedelta(hours=2))
    later = rounds.one_by_one.reason()
    ledger.breaks = False
    await rounds.look(after=timedelta(hours=2))

    assert failed(ledger) == []
    assert (reason is None, later is None, rounds.one_by_one.reason()) == (False, False, None)
    assert {one.state for one in ledger.held.values()} == {NotificationState.SENDING}


async def test_a_row_that_cannot_be_read_waits_for_a_later_release_until_its_deadline() -> None:
    [wrong], [well] = reminders(1), reminders(1)
    wrong = replace(wrong, not_after=NOW + timedelta(minutes=30))
    ledger = MemoryLedger(wrong, well)
    ledger.unreadable = {wrong.notification_id}
    rounds = Rounds(ledger)

    waits = list[timedelta]()
    while not failed(ledger):
        ledger.held[well.notification_id] = well
        await rounds.look(after=ledger.held[wrong.notification_id].next_attempt_at - NOW - rounds.passed)
        waits.append(ledger.held[wrong.notification_id].next_attempt_at - NOW - rounds.passed)

    assert rounds.passed >= timedelta(minutes=29)
    assert max(waits) == LONGEST_PUT_OFF
    assert waits[:3] == [PUT_OFF, PUT_OFF, 2 * PUT_OFF]


async def test_of_many_that_wait_one_is_logged_and_each_round_they_wait_longer(
    lines: list[MutableMapping[str, Any]],
) -> None:
    ledger = ledger_of(*(replace(one, not_after=NOW + timedelta(days=1)) for one in odd(10 * MOST)))
    rounds = Rounds(ledger)

    for _ in range(5):
        await rounds.look(after=max(one.next_attempt_at for one in ledger.held.values()) - NOW - rounds.passed)

    assert len([line for line in lines if line["event"] == "message.undecidable"]) == 5
    assert {one.next_attempt_at - NOW - rounds.passed for one in ledger.held.values()} == {LONGEST_PUT_OFF}


async def test_one_that_is_late_and_cannot_be_decided_ends_so_too_and_keeps_no_other_late_one() -> None:
    past = NOW - timedelta(minutes=1)
    wrong, late = [replace(one, not_after=past) for one in reminders(2)]
    ledger = MemoryLedger(wrong, late)
    ledger.unreadable = {wrong.notification_id}

    await run_while(
        lane_over(ledger, FakeCarrier(ledger)),
        lambda: any(one.state is NotificationState.QUEUED for one in ledger.held.values()),
    )

    assert failed(ledger) == [wrong.notification_id]
    assert ledger.held[late.notification_id].reason is Reason.TOO_LATE


async def test_a_lease_that_ran_out_on_a_row_that_cannot_be_read_is_unknown_and_keeps_no_other() -> None:
    frozen = [sending(notification_id=uuid4(), attempt_id=uuid4()) for _ in range(3)]
    ledger = MemoryLedger(*frozen)
    ledger.run_out = {one.notification_id for one in frozen}
    ledger.unreadable = {frozen[1].notification_id}

    await run_while(
        lane_over(ledger, FakeCarrier(ledger)),
        lambda: any(one.state is NotificationState.SENDING for one in ledger.held.values()),
    )

    assert {one.state for one in ledger.held.values()} == {NotificationState.UNKNOWN}


async def test_while_nothing_can_be_decided_all_is_kept_and_the_lane_is_not_ready_until_the_fault_is_mended() -> None:
    ledger = MemoryLedger(*reminders(2 * MOST))
    ledger.breaks = True
    carrier, clock_s = FakeCarrier(ledger), ledger.machine_s
    lane, stop = lane_over(ledger, carrier, slots=MOST), asyncio.Event()
    running = asyncio.create_task(lane.run(stop))

    await until(lambda: all(one.next_attempt_at == NOW + PUT_OFF for one in ledger.held.values()))
    reason = lane.reason()
    ledger.breaks, ledger.machine_s = False, clock_s + WITHIN_S
    ledger.held = {key: replace(one, next_attempt_at=NOW) for key, one in ledger.held.items()}
    await until(lambda: all(one.state is NotificationState.ACCEPTED for one in ledger.held.values()))
    await until(lambda: lane.reason() is None)
    stop.set()
    await running

    assert "cannot be decided" in str(reason)
    assert (failed(ledger), len(carrier.calls)) == ([], 2 * MOST)


async def test_g7_what_is_kept_ends_at_its_deadline() -> None:
    """A fault of ours that nobody mends: every message is told of in the end."""
    soon = NOW + PUT_OFF / 2
    ledger = MemoryLedger(*(replace(one, not_after=soon) for one in reminders(MOST)))
    ledger.breaks = True

    await run_while(lane_over(ledger, FakeCarrier(ledger), slots=MOST), lambda: len(failed(ledger)) < MOST)

    assert len(ledger.published) == MOST


async def test_a_database_that_goes_away_meanwhile_leaves_the_rest_in_the_queue_and_loses_no_claim() -> None:
    class Cut(MemoryLedger):
        async def lock(self, notification_ids: Sequence[UUID]) -> dict[UUID, Notification]:  # type: ignore[override]
            if notification_ids[0] == messages[2].notification_id:
                raise Unavailable("DATABASE_UNAVAILABLE", "away")
            return {notification_ids[0]: self.held[notification_ids[0]]}

    messages = reminders(4)
    ledger = Cut(*messages)
    asking = Asking(Channel.SMS, {"ours": 4}, ACCOUNTS, LIVE, NOW, 0.0)

    claimed = await one_by_one(ledger).judge(Undecidable(list(ledger.held), asking))

    assert [call.notification_id for call in claimed.calls] == [one.notification_id for one in messages[:2]]
    assert [one.state for one in ledger.held.values()] == [NotificationState.SENDING] * 2 + [
        NotificationState.QUEUED
    ] * 2


async def test_b10_messages_done_by_themselves_keep_to_the_rate() -> None:
    ledger = MemoryLedger(*reminders(4))
    ledger.tokens = 2
    asking = Asking(Channel.SMS, {"ours": 4}, ACCOUNTS, LIVE, NOW, 0.0, per_second=1.0)

    claimed = await one_by_one(ledger).judge(Undecidable(list(ledger.held), asking))

    assert (len(claimed.calls), ledger.tokens) == (2, 0)


@pytest.mark.parametrize("paused", [{}, {"ours": 600.0}])
async def test_b10_who_makes_no_call_by_itself_asks_for_no_token_and_no_pause(paused: dict[str, float]) -> None:
    """What may not be called for now is let wait all the same, by its own clock."""
    [one] = reminders(1)
    ledger = MemoryLedger(one)
    ledger.tokens, ledger.paused = 0, paused
    shut = timedelta(minutes=5)
    asking = Asking(Channel.SMS, {"ours": 4}, ACCOUNTS, LIVE, NOW, 0.0, per_second=1.0, shut_for=shut)

    claimed = await one_by_one(ledger).judge(Undecidable([one.notification_id], asking))

    assert (claimed.calls, len(claimed.waiting)) == ([], 1)
    assert ledger.held[one.notification_id].next_attempt_at > NOW


async def test_g5_a_call_claimed_by_itself_is_lost_with_the_commit_and_nothing_is_claimed_after_it() -> None:
    messages = reminders(3)
    ledger = MemoryLedger(*messages)
    ledger.loses_next = True
    asking = Asking(Channel.SMS, {"ours": 4}, ACCOUNTS, LIVE, NOW, 0.0)

    claimed = await one_by_one(ledger).judge(Undecidable(list(ledger.held), asking))

    assert (claimed.calls, [call.notification_id for call in claimed.lost]) == ([], [messages[0].notification_id])
    assert ledger.held[messages[1].notification_id].state is NotificationState.QUEUED


async def test_b10_beside_an_odd_one_no_message_of_a_paused_account_is_claimed_and_each_waits() -> None:
    messages = reminders(6)
    ledger = MemoryLedger(*messages[:3], *(wrong := reminders(1)), *messages[3:])
    ledger.unreadable, ledger.paused = {wrong[0].notification_id}, {"ours": 600.0}
    lane, stop = lane_over(ledger, FakeCarrier(ledger)), asyncio.Event()
    running = asyncio.create_task(lane.run(stop))

    await until(
        lambda: (
            not any(
                one.state is NotificationState.QUEUED and one.next_attempt_at <= NOW for one in ledger.held.values()
            )
        )
    )
    stop.set()
    await running

    assert ledger.attempts == {}
    assert {ledger.held[one.notification_id].state for one in messages} == {NotificationState.QUEUED}


@pytest.mark.parametrize(
    ("step", "not_after"),
    [
        (partial(move_on, keeps_s=15.0, is_our_fault=False), NOW + timedelta(hours=6)),
        (settle_late, NOW - timedelta(minutes=1)),
    ],
    ids=["of an account that may not call", "late, their visits moved on"],
)
async def test_messages_of_a_step_that_makes_no_calls_are_not_called_for_by_themselves_either(
    step: Step, not_after: datetime
) -> None:
    wrong, *others = [replace(one, kind=Kind.CONFIRMATION, not_after=not_after) for one in reminders(4)]
    ledger = MemoryLedger(wrong, *others)
    ledger.unreadable, ledger.visit = {wrong.notification_id}, replace(ledger.visit, email=None)
    asking = Asking(Channel.SMS, {"ours": 500}, ACCOUNTS, LIVE, NOW, 0.0)

    with pytest.raises(Undecidable) as raised:
        await step(ledger, asking)
    claimed = await one_by_one(ledger).judge(raised.value)

    assert (claimed.calls, ledger.attempts, len(claimed.waiting)) == ([], {}, 3)


@pytest.mark.parametrize(
    "meanwhile",
    [
        {"next_attempt_at": NOW + timedelta(seconds=30)},
        {"clinic_id": "EAST"},
        {"lane": Channel.EMAIL},
        {"state": NotificationState.ACCEPTED},
        {},
    ],
    ids=["let wait", "of another account", "on another channel", "sent", "its account paused"],
)
async def test_what_another_instance_did_with_a_message_before_its_turn_by_itself_counts(
    meanwhile: dict[str, Any],
) -> None:
    [first] = reminders(1)
    ledger = MemoryLedger(replace(first, **meanwhile))
    ledger.paused = {} if meanwhile else {"ours": 600.0}
    before = dict(ledger.held)

    asking = Asking(Channel.SMS, {"ours": 4}, ACCOUNTS, LIVE, NOW, 0.0)
    claimed = await one_by_one(ledger).judge(Undecidable(list(ledger.held), asking))

    assert (claimed.calls, ledger.attempts, ledger.held) == ([], {}, before)


async def test_calls_that_a_look_at_the_queue_is_handed_are_given_back() -> None:
    """Nothing there makes them: kept, they would end unknown with their leases."""
    ledger = MemoryLedger(*reminders(3))
    lane, stop = lane_over(ledger, FakeCarrier(ledger), differs="it claims nothing by itself"), asyncio.Event()
    running = asyncio.create_task(lane.run(stop))

    await lane._repeatedly(claim, ["ours"])
    await until(lambda: list(ledger.attempts.values()) == ["NotStarted"] * 3)
    stop.set()
    await running

    assert {(one.state, one.attempts) for one in ledger.held.values()} == {(NotificationState.QUEUED, 0)}


async def test_an_answer_whose_message_cannot_be_settled_is_kept_and_the_others_are_settled() -> None:
    messages = reminders(4)
    ledger = MemoryLedger(*messages)
    broken = replace(messages[1], steps=None)  # type: ignore[arg-type]

    class Breaking(MemoryLedger):
        async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
            if any(
                one.notification_id == broken.notification_id
                for one in notifications
                if one.state is NotificationState.ACCEPTED
            ):
                raise RuntimeError("a row that cannot be written")
            await super().write(notifications, now)

    ledger = Breaking(*messages)
    await run_while(lane_over(ledger, FakeCarrier(ledger)), lambda: list(ledger.attempts.values()) != ["Accepted"] * 4)

    states = {key: one.state for key, one in ledger.held.items()}
    assert states.pop(broken.notification_id) is NotificationState.SENDING  # unknown, once its lease runs out
    assert set(states.values()) == {NotificationState.ACCEPTED}


async def test_whatever_breaks_around_a_call_it_may_have_been_made_and_the_lane_goes_on() -> None:
    first, second = reminders(2)

    class Broken(FakeCarrier):
        def prepare(self, call: object) -> Made:
            made = super().prepare(call)  # type: ignore[arg-type]
            return made if call.notification_id != first.notification_id else None  # type: ignore[attr-defined,return-value]

    ledger = MemoryLedger(first, second)
    await run_while(
        lane_over(ledger, Broken(ledger)),
        lambda: any(one.state in {NotificationState.QUEUED, NotificationState.SENDING} for one in ledger.held.values()),
    )

    assert ledger.held[first.notification_id].state is NotificationState.UNKNOWN
    assert ledger.held[second.notification_id].state is NotificationState.ACCEPTED


async def test_a_step_that_fails_whatever_it_is_about_leaves_the_lane_running_and_not_ready_until_it_works() -> None:
    class Failing(MemoryLedger):
        fails = True

        async def lock_due(self, *given: Any, **named: Any) -> Sequence[Row]:
            if self.fails:
                raise RuntimeError("a column that is not there")
            return await super().lock_due(*given, **named)

    ledger = Failing(*reminders(2))
    lane, stop = lane_over(ledger, FakeCarrier(ledger)), asyncio.Event()
    running = asyncio.create_task(lane.run(stop))
    await until(lambda: lane.reason() is not None)
    reason, ledger.fails = lane.reason(), False
    await until(lambda: all(one.state is NotificationState.ACCEPTED for one in ledger.held.values()))
    await until(lambda: lane.reason() is None)
    stop.set()
    await running

    assert reason == "sms: claims fail: RuntimeError; see lane.broke in the log"


@pytest.mark.parametrize(
    ("raised", "decided_at", "ours"),
    [
        ([(MOST - 1, 0.0)], None, False),
        ([(MOST, 0.0)], None, True),
        ([(MOST, 0.0)], 0.0, True),
        ([(MOST - 1, 0.0), (1, 10 * WITHIN_S)], None, True),
        ([(MOST - 1, 0.0), (1, WITHIN_S - 1)], WITHIN_S - 1, True),
        ([(MOST - 1, 0.0), (1, WITHIN_S)], WITHIN_S, False),
        ([(MOST - 1, 1.0), (1, WITHIN_S + 1)], 0.0, True),
    ],
)
def test_design_3_so_many_within_minutes_are_a_fault_of_ours_and_all_of_them_while_none_is_decided(
    raised: list[tuple[int, float]], decided_at: float | None, ours: bool
) -> None:
    undecided = Undecided()
    if decided_at is not None:
        undecided = undecided.after_deciding([uuid4()], decided_at)
    for count, at in raised:
        undecided = undecided.after([uuid4() for _ in range(count)], at)

    assert undecided.is_ours(raised[-1][1]) is ours


def test_a_message_that_raises_often_is_one() -> None:
    undecided, one = Undecided(), uuid4()
    for at in range(2 * MOST):
        undecided = undecided.after([one], float(at))

    assert not undecided.is_ours(2.0 * MOST)
