"""A lane's loop: claim, call, record, each in its own step, with as many calls at once as there are slots.

Written down before it is made, gated no longer than 5 s before it is made, given up before its lease
ends: these three together keep a cancelled visit silent and a message single (G5).
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from chassis.clock import Clock
from chassis.errors import Unavailable
from notifier.domain.ledger import Answer, Call, Notification, NotStarted, Rejected, Unsure
from notifier.domain.modes import SendingMode
from notifier.domain.states import State
from notifier.handle.lane import Answered, Ledger, claim, record, run_out_leases
from schemas.notifications import Channel

log: structlog.stdlib.BoundLogger = structlog.get_logger()

OLDEST_GATE_S = 5.0
"""A call that would start later after its gate is gated again (design §6)."""

POLL_S = 0.2
"""How often a lane that nobody wakes looks for due messages; a fan-out in the same process wakes it."""

CLAIM_GATHER_S = 0.025
"""From the start of a claim that left slots free to the start of the next: what is entered meanwhile shares its seven
trips to the database. Every fan-out wakes every lane."""

ANSWER_GATHER_S = 0.01
"""How long an answer waits for those of other calls under way, to be written down together."""

LEASE_CHECK_S = 1.0
MOST_ANSWERS = 200
MOST_LEASES = 500
PAUSE_S = 1.0


type Made = Callable[[], Awaitable[Answer]]
"""A call that is ready to be made: awaited, it gives the answer, and never raises for what a carrier does."""


class CannotCompose(Exception):
    """A message that cannot be written: a broken template, or an address that cannot be."""


class Carrier(Protocol):
    """A way to hand a message to the outside world."""

    def prepare(self, call: Call) -> Made:
        """Return the call, composed: from here on its time is the carrier's.

        Raises:
            CannotCompose: It never can be.
        """

    async def close(self) -> None:
        """Give up kept connections."""


class Watch(Protocol):
    """What the outside sees of a lane."""

    def settled(self, lane: Channel, notifications: Sequence[Notification]) -> None:
        """Count outcomes."""

    def called(self, lane: Channel, seconds: float) -> None:
        """Count a call and how long it took."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lane may use.

    Attributes:
        slots: Calls at once.
        timeout_s: Longest call; shorter than the lease by more than the oldest gate.
    """

    slots: int
    timeout_s: float


class Lane:
    """One channel's sender. Several of them, in several processes, share the ledger safely.

    Args:
        clock_differs: Returns why this process must not claim (its clock is off), or None.
        committed: Called after every commit that wrote outgoing events.
        wake_lane: Called for another lane that got a message from this one.
        machine_s: Monotonic machine time in seconds.
    """

    def __init__(
        self,
        channel: Channel,
        ledger: Ledger,
        carrier: Carrier,
        limits: Limits,
        sending: SendingMode,
        clock: Clock,
        watch: Watch,
        clock_differs: Callable[[], str | None],
        committed: Callable[[], None],
        wake_lane: Callable[[Channel], None],
        machine_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channel = channel
        self._ledger, self._carrier, self._limits, self._sending = ledger, carrier, limits, sending
        self._clock, self._watch, self._clock_differs = clock, watch, clock_differs
        self._committed, self._wake_lane, self._machine_s = committed, wake_lane, machine_s
        self._wake = asyncio.Event()
        self._answers: asyncio.Queue[Answered] = asyncio.Queue()
        self._in_flight = 0
        self._held_up: str | None = None

    def wake(self) -> None:
        """Look for due messages now."""
        self._wake.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then finish the calls in flight and write their answers down."""
        finished = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._record_answers(finished), name=f"{self.channel} answers")
            group.create_task(self._watch_leases(stop), name=f"{self.channel} leases")
            try:
                await self._claim_and_call(stop, group)
            finally:
                finished.set()
        await self._carrier.close()

    async def _claim_and_call(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        while not stop.is_set():
            self._wake.clear()
            free = self._limits.slots - self._in_flight
            began = self._machine_s()
            found = await self._claim(free, group) if free > 0 else 0
            if found < max(free, 1):
                await self._pause(stop, POLL_S)
                if free > 0 and (rest := began + CLAIM_GATHER_S - self._machine_s()) > 0:
                    await asyncio.sleep(rest)

    async def _claim(self, free: int, group: asyncio.TaskGroup) -> int:
        reason = self._clock_differs()
        if reason != self._held_up:
            log.error("lane.held_up" if reason else "lane.goes_on", lane=self.channel, reason=reason)
            self._held_up = reason
        if reason:
            await asyncio.sleep(PAUSE_S)
            return 0
        try:
            claimed = await claim(self._ledger, self.channel, free, self._sending, self._clock.now(), self._machine_s())
        except Unavailable as error:
            log.warning("lane.unavailable", lane=self.channel, code=error.code)
            await asyncio.sleep(PAUSE_S)
            return 0
        for call in claimed.calls:
            self._in_flight += 1
            group.create_task(self._call(call), name=f"{self.channel} call")
        if claimed.settled:
            self._watch.settled(self.channel, claimed.settled)
            self._committed()
        for lane in claimed.elsewhere:
            self._wake_lane(lane)
        return claimed.found

    async def _call(self, call: Call) -> None:
        """Make one call, unless its gate has gone stale or its deadline has passed meanwhile."""
        try:
            made = self._carrier.prepare(call)
        except Exception:  # one message that cannot be written must not stop its lane; nothing has left
            log.exception("lane.cannot_compose", lane=self.channel, attempt_id=str(call.attempt_id))
            self._answers.put_nowait(Answered(call, Rejected("CANNOT_COMPOSE")))
            return
        began = self._machine_s()
        answer: Answer
        if began - call.gated_on > OLDEST_GATE_S or self._clock.now() > call.not_after:
            answer = NotStarted()
        else:
            answer = await self._answer(made, call)
            self._watch.called(self.channel, self._machine_s() - began)
        self._answers.put_nowait(Answered(call, answer))

    async def _answer(self, made: Made, call: Call) -> Answer:
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                return await made()
        except TimeoutError:
            return Unsure("TIMEOUT")
        except Exception:  # whatever a carrier's library does, the message may have left
            log.exception("lane.call_broke", lane=self.channel, attempt_id=str(call.attempt_id))
            return Unsure("INTERNAL")

    async def _record_answers(self, finished: asyncio.Event) -> None:
        """Write answers down, as many together as there are; go on until the last call is recorded."""
        while not (finished.is_set() and self._in_flight == 0):
            try:
                async with asyncio.timeout(POLL_S):
                    answers = [await self._answers.get()]
            except TimeoutError:
                continue
            if self._in_flight > 1:
                await asyncio.sleep(ANSWER_GATHER_S)
            while not self._answers.empty() and len(answers) < MOST_ANSWERS:
                answers.append(self._answers.get_nowait())
            await self._record(answers)
            self._in_flight -= len(answers)
            self._wake.set()

    async def _record(self, answers: Sequence[Answered]) -> None:
        """Record, again and again while the database is away: an answer is worth keeping."""
        while True:
            try:
                settled = await record(self._ledger, answers, self._clock.now(), random.random())  # noqa: S311
            except Unavailable as error:
                log.warning("lane.answers_wait", lane=self.channel, code=error.code, answers=len(answers))
                await asyncio.sleep(PAUSE_S)
                continue
            self._tell(settled)
            return

    async def _watch_leases(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                self._tell(await run_out_leases(self._ledger, self.channel, MOST_LEASES, self._clock.now()))
            except Unavailable as error:
                log.warning("lane.unavailable", lane=self.channel, code=error.code)
            await self._sleep(stop, LEASE_CHECK_S)

    def _tell(self, settled: Sequence[Notification]) -> None:
        if not settled:
            return
        self._watch.settled(self.channel, [one for one in settled if one.state is not State.QUEUED])
        for one in settled:
            log.info(
                "notification.settled",
                notification_id=str(one.notification_id),
                attempt_id=str(one.attempt_id),
                lane=self.channel,
                state=one.state,
                reason=one.reason,
                attempts=one.attempts,
            )
        self._committed()

    async def _pause(self, stop: asyncio.Event, seconds: float) -> None:
        """Wait until woken, stopped, or `seconds` have passed."""
        waits = [asyncio.create_task(self._wake.wait()), asyncio.create_task(stop.wait())]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    async def _sleep(self, stop: asyncio.Event, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await stop.wait()
        except TimeoutError:
            return
