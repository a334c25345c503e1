"""A ledger in memory, a carrier that answers as told, and a lane over both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from chassis.process.clock import StillClock
from chassis.process.errors import Unavailable
from notifier.carriers.accounts import Accounts
from notifier.carriers.port import CannotCompose, Made
from notifier.gate.domain import facts
from notifier.gate.domain.facts import SendingModeName
from notifier.gate.domain.modes import SendingMode
from notifier.gate.domain.told import Said, Slot
from notifier.gate.domain.visit import Person, Visit
from notifier.lanes.domain.breaker import BreakerState
from notifier.lanes.domain.together import SOON, STEPS_BACK, Whom, whom_of
from notifier.lanes.domain.undecided import PUT_OFF
from notifier.lanes.handle.lane import Lane
from notifier.lanes.handle.limits import Limits
from notifier.lanes.handle.ports import Answered, Beside
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Accepted, Call, CarrierResult, Notification, Row, UnreadableRow
from notifier.ledger.domain.states import NotificationState
from schemas.appointments import Status
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason
from tests.support.notifier.builders import NOW, notification, visit

LIVE = SendingMode(SendingModeName.LIVE)
ACCOUNTS = Accounts("ours", {"SOUTH": "souths", "SOUTH2": "souths", "EAST": "easts"})
"""Of NORTH and every other clinic it is the installation's."""


class MemoryLedger:
    """A ledger and its own transaction."""

    def __init__(self, *notifications: Notification, slow_gate_s: float = 0.0, hides_due: bool = False) -> None:
        self.hides_due, self.looks = hides_due, 0
        self.gates, self.breaks = 0, False
        self.moves_to: dict[UUID | None, str] = {}
        self.zones: dict[str, str] = {}
        self.starts: dict[UUID | None, datetime] = {}
        self.off: set[UUID] = set()
        self.accounts_called: list[str] = []
        self.gate_waits: asyncio.Event | None = None
        self.held = {one.notification_id: one for one in notifications}
        self.visit = visit()
        self.attempts: dict[UUID, str] = {}
        self.published: list[Notification] = []
        self.machine_s = 1000.0
        self.tokens = 0
        self.loses_next = False
        self.pauses: list[tuple[str, float]] = []
        self.paused: dict[str, float] = {}
        self.unreadable: set[UUID] = set()
        self.run_out: set[UUID] = set()
        self.locked_elsewhere: set[UUID] = set()
        self._slow_gate_s = slow_gate_s

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryLedger"]:
        yield self
        if self.loses_next and any(state == "open" for state in self.attempts.values()):
            self.loses_next = False
            raise Unavailable("DATABASE_UNAVAILABLE", "cut at the commit, which had landed")

    async def take_tokens(self, lane: Channel, per_second: float, most: Mapping[str, int]) -> Mapping[str, int]:
        taken = {}
        for account, count in most.items():
            if taken_of := min(self.tokens, count):
                taken[account] = taken_of
                self.tokens -= taken_of
        return taken

    async def give_back_tokens(self, lane: Channel, tokens: Mapping[str, int]) -> None:
        self.tokens += sum(tokens.values())

    async def pause(self, lane: Channel, account: str, seconds: float) -> None:
        self.pauses.append((account, seconds))

    async def paused_s(self, lane: Channel) -> Mapping[str, float]:
        return self.paused

    async def lock_due(
        self,
        lane: Channel,
        limits: Mapping[str, int],
        now: datetime,
        until: datetime,
        setting: SendingModeName,
        *,
        even_paused: bool = False,
    ) -> Sequence[Row]:
        if self.hides_due:
            return []
        calling = limits if even_paused else {one: most for one, most in limits.items() if one not in self.paused}
        due = (one for account, most in calling.items() for one in self._due(lane, account, now, until)[:most])
        return [self._row(one) for one in due]

    async def lock_beside(
        self, lane: Channel, people: Collection[Whom], but: Collection[UUID], now: datetime, until: datetime
    ) -> Beside:
        found = [one for one in self.held.values() if one.notification_id not in but and whom_of(one) in people]
        queued = [one for one in found if one.state is NotificationState.QUEUED and one.lane is lane]
        ready = [one for one in queued if one.next_attempt_at <= now + (STEPS_BACK if one.attempts else SOON)]
        mine = [one for one in ready if one.notification_id not in self.locked_elsewhere]
        others = [one for one in ready if one.notification_id in self.locked_elsewhere]
        missing = [(person, one.notification_id) for one in others if (person := whom_of(one))]
        return Beside([self._row(one) for one in mine], missing)

    async def due(
        self, lane: Channel, accounts: Collection[str], now: datetime, until: datetime, setting: SendingModeName
    ) -> Collection[str]:
        self.looks += 1
        return [account for account in accounts if self._due(lane, account, now, until)]

    def _due(self, lane: Channel, account: str, now: datetime, until: datetime) -> list[Notification]:
        queued = [one for one in self.held.values() if one.state is NotificationState.QUEUED and one.lane is lane]
        queued = [one for one in queued if ACCOUNTS.of(one.clinic_id) == account]
        queued = [one for one in queued if one.notification_id not in self.locked_elsewhere]
        return [one for one in queued if one.next_attempt_at <= now and one.not_after and one.not_after >= until]

    async def lock_late(self, lane: Channel, limit: int, now: datetime) -> Sequence[Row]:
        late = [
            one
            for one in self.held.values()
            if one.state is NotificationState.QUEUED and one.not_after and one.not_after < now
        ]
        return [self._row(one) for one in late[:limit]]

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Row]:
        return [self._row(self.held[one]) for one in self.run_out if self.held[one].state is NotificationState.SENDING]

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Row]:
        return {one: self._row(self.held[one]) for one in notification_ids}

    def _row(self, held: Notification) -> Row:
        return UnreadableRow(held.notification_id) if held.notification_id in self.unreadable else held

    async def put_off(self, notification_ids: Collection[UUID], now: datetime, wait: timedelta) -> Collection[UUID]:
        left = {one: (self.held[one].not_after or NOW) - now for one in notification_ids}
        kept = {one: max(PUT_OFF, min(wait, left[one] / 2)) for one in left if left[one] >= PUT_OFF}
        self.held |= {one: replace(self.held[one], next_attempt_at=now + waits) for one, waits in kept.items()}
        return kept

    async def take_aside(self, notification_ids: Collection[UUID], now: datetime) -> Sequence[Notification]:
        ended = {
            NotificationState.QUEUED: (NotificationState.FAILED, Reason.UNDECIDABLE),
            NotificationState.SENDING: (NotificationState.UNKNOWN, None),
        }
        for one in notification_ids:
            state, reason = ended[self.held[one].state]
            self.held[one] = replace(self.held[one], state=state, reason=reason, version=1)
        return [self.held[one] for one in notification_ids]

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        self.machine_s, self._slow_gate_s = self.machine_s + self._slow_gate_s, 0.0
        self.gates += 1
        if self.breaks:
            raise RuntimeError("a fault of ours")
        if self.gate_waits:
            await self.gate_waits.wait()
        clinics = {one.appointment_id: one.clinic_id or self.visit.clinic_id for one in self.held.values()}
        clinics |= self.moves_to
        return {
            one: replace(
                self.visit,
                appointment_id=one,
                clinic_id=at,
                zone=self.zones.get(at, self.visit.zone),
                starts_at=self.starts.get(one, self.visit.starts_at),
                status=Status.CANCELLED if one in self.off else self.visit.status,
            )
            for one in appointment_ids
            for at in [clinics.get(one, self.visit.clinic_id)]
        }

    async def said(self, appointment_ids: Collection[UUID]) -> Mapping[Slot, Sequence[Said]]:
        return {}

    async def people(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Person]:
        return {}

    async def facts(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: datetime
    ) -> Mapping[UUID, facts.GateFacts]:
        return {}

    async def clinics_preferring_doubles(self, clinic_ids: Collection[str]) -> Collection[str]:
        return ()

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.held |= {one.notification_id: one for one in notifications}

    async def open_attempts(self, calls: Sequence[Call], now: datetime) -> None:
        self.attempts |= {each.attempt_id: "open" for call in calls for each in call.every}
        self.accounts_called += [call.account for call in calls]

    async def close_attempts(self, answers: Sequence[Answered], now: datetime) -> None:
        self.attempts |= {one.call.attempt_id: type(one.answer).__name__ for one in answers}

    async def give_up_attempts(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.attempts |= {one.attempt_id: "given up" for one in notifications if one.attempt_id}

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        self.published += notifications


class FakeCarrier:
    """Accepts everything, as slowly as told, and checks that the ledger knew before."""

    def __init__(
        self, ledger: MemoryLedger, slow_s: float = 0.0, answer: CarrierResult | BaseException | None = None
    ) -> None:
        self.calls: list[Call] = []
        self.at_once = self.most_at_once = 0
        self._ledger, self._slow_s, self._answer = ledger, slow_s, answer or Accepted("r")
        self._hangs: frozenset[UUID] = frozenset()
        self.waits: asyncio.Event | None = None
        self._clings: UUID | None = None
        self.lets_go = asyncio.Event()

    def hangs_for(self, notification_ids: Collection[UUID]) -> None:
        self._hangs = frozenset(notification_ids)

    def clings_to(self, notification_id: UUID) -> None:
        """Let the call for this message go on even when it is cancelled, until `lets_go` is set."""
        self._clings = notification_id

    def answers(self, answer: CarrierResult | BaseException) -> None:
        self._answer = answer

    def prepare(self, call: Call) -> Made:
        if isinstance(self._answer, CannotCompose):
            raise self._answer

        async def made() -> CarrierResult:
            assert self._ledger.attempts[call.attempt_id] == "open"
            self.calls.append(call)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            while call.notification_id == self._clings and not self.lets_go.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await self.lets_go.wait()
            if self.waits:
                await self.waits.wait()
            await asyncio.sleep(600 if call.notification_id in self._hangs else self._slow_s)
            self.at_once -= 1
            if isinstance(self._answer, BaseException):
                raise self._answer
            return self._answer

        return made

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        return True

    async def close(self) -> None:
        return


class NoWatch:
    """Counts nothing but how often a lane stood still, what it could not decide, and whose fault refusals were."""

    stood_still = not_decided = 0

    def __init__(self) -> None:
        self.faults: list[tuple[str, Fault]] = []

    def stands_still(self, lane: Channel, account: str) -> None:
        self.stood_still += 1

    def refused(self, lane: Channel, account: str, fault: Fault) -> None:
        self.faults.append((account, fault))

    def settled(self, lane: Channel, notifications: Sequence[Notification]) -> None:
        return

    def undecidable(self, lane: Channel, number: int) -> None:
        self.not_decided += number

    def called(self, lane: Channel, seconds: float) -> None:
        return

    def stands(self, lane: Channel, account: str, breaker: BreakerState) -> None:
        return


async def run_until(
    ledger: MemoryLedger,
    carrier: FakeCarrier,
    *states: NotificationState,
    lane: Channel = Channel.SMS,
    slots: int = 4,
    timeout_s: float = 60.0,
) -> None:
    """Run a lane until every message is in one of these states and in this lane, its first call recorded."""
    stop = asyncio.Event()
    runner = lane_over(ledger, carrier, slots, timeout_s)
    await run_while(
        runner, lambda: not all(one.state in states and one.lane is lane for one in ledger.held.values()), stop
    )


async def run_while(lane: Lane, condition: Callable[[], bool], stop: asyncio.Event | None = None) -> None:
    """Run a lane as long as the condition holds, then let it finish what it began."""
    stop = stop or asyncio.Event()
    running = asyncio.create_task(lane.run(stop))
    async with asyncio.timeout(60):
        while condition() and not running.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stop.set()
        await running


def lane_over(
    ledger: MemoryLedger,
    carrier: FakeCarrier,
    slots: int = 4,
    timeout_s: float = 60.0,
    differs: str | None = None,
    per_second: float = 0.0,
    failures: int = 3,
    watch: NoWatch | None = None,
) -> Lane:
    return Lane(
        Channel.SMS,
        ledger,
        carrier,
        ACCOUNTS,
        Limits(slots, timeout_s, per_second, failures, breaker_open_s=15.0),
        LIVE,
        StillClock(NOW),
        watch or NoWatch(),
        clock_differs=lambda: differs,
        committed=lambda: None,
        wake_lane=lambda _: None,
        machine_s=lambda: ledger.machine_s,
    )


def reminders(count: int) -> list[Notification]:
    return [notification(notification_id=uuid4(), appointment_id=uuid4()) for _ in range(count)]
