"""A lane's loop over a ledger in memory: what it never does, however slow or broken its surroundings."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from chassis.clock import StillClock
from notifier.domain import standing
from notifier.domain.breaker import Standing
from notifier.domain.ledger import Accepted, Answer, Call, NotAccepted, Notification
from notifier.domain.modes import Mode, SendingMode
from notifier.domain.states import State
from notifier.domain.visits import Visit
from notifier.handle.loop import CannotCompose, Lane, Limits, Made
from notifier.handle.ports import Answered
from schemas.notifications import Channel
from schemas.reminders import Reason
from tests.unit.notifier.builders import NOW, notification, visit

LIVE = SendingMode(Mode.LIVE)


class MemoryLedger:
    """A ledger and its own transaction."""

    def __init__(self, *notifications: Notification, slow_gate_s: float = 0.0) -> None:
        self.held = {one.notification_id: one for one in notifications}
        self.visit = visit()
        self.attempts: dict[UUID, str] = {}
        self.published: list[Notification] = []
        self.machine_s = 1000.0
        self.tokens = 0
        self.paused_s: list[float] = []
        self._slow_gate_s = slow_gate_s

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryLedger"]:
        yield self

    async def take_tokens(self, lane: Channel, per_second: float, most: int, now: datetime) -> int:
        taken = min(self.tokens, most)
        self.tokens -= taken
        return taken

    async def give_back_tokens(self, lane: Channel, tokens: int) -> None:
        self.tokens += tokens

    async def pause(self, lane: Channel, seconds: float) -> None:
        self.paused_s.append(seconds)

    async def is_paused(self, lane: Channel) -> bool:
        return False

    async def lock_late(self, lane: Channel, limit: int, now: datetime) -> Sequence[Notification]:
        return []

    async def lock_due(
        self, lane: Channel, limit: int, now: datetime, setting: Mode, *, even_paused: bool = False
    ) -> Sequence[Notification]:
        queued = [one for one in self.held.values() if one.state is State.QUEUED and one.lane is lane]
        due = [one for one in queued if one.next_attempt_at <= now]
        return due[:limit]

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Notification]:
        return []

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Notification]:
        return self.held

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        self.machine_s, self._slow_gate_s = self.machine_s + self._slow_gate_s, 0.0
        return {one: replace(self.visit, appointment_id=one) for one in appointment_ids}

    async def standing(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: datetime
    ) -> Mapping[UUID, standing.Standing]:
        return {}

    async def clinics_preferring_doubles(self, clinic_ids: Collection[str]) -> Collection[str]:
        return ()

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.held |= {one.notification_id: one for one in notifications}

    async def open_attempts(self, calls: Sequence[Call], now: datetime) -> None:
        self.attempts |= {call.attempt_id: "open" for call in calls}

    async def close_attempts(self, answers: Sequence[Answered], now: datetime) -> None:
        self.attempts |= {one.call.attempt_id: type(one.answer).__name__ for one in answers}

    async def give_up_attempts(self, notifications: Sequence[Notification], now: datetime) -> None:
        raise AssertionError("no lease runs out here")

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.published += notifications


class FakeCarrier:
    """Accepts everything, as slowly as told, and checks that the ledger knew before."""

    def __init__(self, ledger: MemoryLedger, slow_s: float = 0.0, answer: Answer | Exception | None = None) -> None:
        self.calls: list[Call] = []
        self.at_once = self.most_at_once = 0
        self._ledger, self._slow_s, self._answer = ledger, slow_s, answer or Accepted("r")

    def prepare(self, call: Call) -> Made:
        if isinstance(self._answer, CannotCompose):
            raise self._answer

        async def made() -> Answer:
            assert self._ledger.attempts[call.attempt_id] == "open"
            self.calls.append(call)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            await asyncio.sleep(self._slow_s)
            self.at_once -= 1
            if isinstance(self._answer, Exception):
                raise self._answer
            return self._answer

        return made

    async def close(self) -> None:
        return


class NoWatch:
    """Counts nothing."""

    def settled(self, lane: Channel, notifications: Sequence[Notification]) -> None:
        return

    def called(self, lane: Channel, seconds: float) -> None:
        return

    def stands(self, lane: Channel, breaker: Standing) -> None:
        return


async def run_until(
    ledger: MemoryLedger,
    carrier: FakeCarrier,
    *states: State,
    lane: Channel = Channel.SMS,
    slots: int = 4,
    timeout_s: float = 60.0,
) -> None:
    """Run a lane until every message is in one of these states and in this lane, its first call recorded."""
    stop = asyncio.Event()
    runner = lane_over(ledger, carrier, slots, timeout_s)
    running = asyncio.create_task(runner.run(stop))
    async with asyncio.timeout(60):
        while not all(one.state in states and one.lane is lane for one in ledger.held.values()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stop.set()
        await running


def lane_over(
    ledger: MemoryLedger, carrier: FakeCarrier, slots: int = 4, timeout_s: float = 60.0, differs: str | None = None
) -> Lane:
    return Lane(
        Channel.SMS,
        ledger,
        carrier,
        Limits(slots, timeout_s),
        LIVE,
        StillClock(NOW),
        NoWatch(),
        clock_differs=lambda: differs,
        committed=lambda: None,
        wake_lane=lambda _: None,
        machine_s=lambda: ledger.machine_s,
    )


def reminders(count: int) -> list[Notification]:
    return [notification(notification_id=uuid4(), appointment_id=uuid4()) for _ in range(count)]


async def test_r25_everything_due_is_called_once_and_its_answer_written_down() -> None:
    ledger = MemoryLedger(*reminders(20))
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, State.ACCEPTED)

    assert len(carrier.calls) == len({call.notification_id for call in carrier.calls}) == 20
    assert set(ledger.attempts.values()) == {"Accepted"}
    assert {one.version for one in ledger.published} == {1}


async def test_a_lane_never_makes_more_calls_at_once_than_it_has_slots() -> None:
    ledger = MemoryLedger(*reminders(12))
    carrier = FakeCarrier(ledger, slow_s=0.05)

    await run_until(ledger, carrier, State.ACCEPTED, slots=3)

    assert carrier.most_at_once == 3


async def test_g5_a_call_whose_gate_is_older_than_5_s_is_gated_again_before_it_is_made() -> None:
    """The process freezes between gate and call."""
    ledger = MemoryLedger(notification(), slow_gate_s=5.1)
    carrier = FakeCarrier(ledger)

    await run_until(ledger, carrier, State.ACCEPTED)

    assert [call.ordinal for call in carrier.calls] == [2]
    assert sorted(ledger.attempts.values()) == ["Accepted", "NotStarted"]


async def test_g5_a_carrier_that_is_silent_or_breaks_leaves_unknown() -> None:
    for slow_s, answer in ((600.0, None), (0.0, RuntimeError("a library's surprise"))):
        ledger = MemoryLedger(notification())
        carrier = FakeCarrier(ledger, slow_s, answer)
        await run_until(ledger, carrier, State.UNKNOWN, timeout_s=0.1)
        assert len(carrier.calls) == 1


async def test_a_message_that_cannot_be_written_is_refused_without_a_call() -> None:
    ledger = MemoryLedger(notification())
    ledger.visit = replace(ledger.visit, email=None)
    carrier = FakeCarrier(ledger, answer=CannotCompose("UndefinedError"))

    await run_until(ledger, carrier, State.FAILED)

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
    assert (held.state, held.attempts) == (State.QUEUED, 1)
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

    await run_until(ledger, carrier, State.QUEUED, lane=Channel.EMAIL)

    assert carrier.calls == []
    assert ledger.attempts == {}
