"""A lane's loop: claim, call, record, each in its own step, with as many calls at once as there are slots.

Written down before it is made, gated no longer than 5 s before it is made, given up before its lease
ends: these three together keep a cancelled visit silent and a message single (G5).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import structlog

from chassis.clock import Clock
from chassis.errors import Unavailable
from notifier.domain.breaker import Standing as BreakerStanding
from notifier.domain.ledger import Call, Notification, NotStarted
from notifier.domain.modes import SendingMode
from notifier.domain.standstill import Standstill
from notifier.domain.states import State
from notifier.handle.calling import Caller
from notifier.handle.lane import Asking, Claimed, ClaimLost, claim
from notifier.handle.limits import Limits
from notifier.handle.ports import Answered, CannotCompose, Carrier, Ledger, Made, Watch
from notifier.handle.recording import Recorder
from notifier.handle.tending import is_due, move_on, run_out_leases, settle_late
from schemas.notifications import Channel

__all__ = ["CannotCompose", "Carrier", "Lane", "Limits", "Made", "Watch"]

log: structlog.stdlib.BoundLogger = structlog.get_logger()

POLL_S = 0.2
"""How often a lane that nobody wakes looks for due messages; a fan-out in the same process wakes it."""

CLAIM_GATHER_S = 0.025
"""From the start of a claim that left slots free to the start of the next: what is entered meanwhile shares its
trips to the database. Every fan-out wakes every lane."""

FILL_S = 0.05
"""How long a lane with some places free waits for half of them: slow calls must not keep the quick ones' places."""

TEND_S = 1.0
MOST_TENDED = 500
PAUSE_S = 1.0


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
        self._caller = Caller(channel, carrier, limits, clock, watch, machine_s)
        self._standstill, self._is_known_to_stand = Standstill(), False
        self._recorder = Recorder(channel, limits.slots, ledger, clock, self.wake, self._told)
        self._held_up: str | None = None

    def wake(self) -> None:
        """Look for due messages now."""
        self._wake.set()

    @property
    def breaker(self) -> BreakerStanding:
        """Where the lane's breaker stands."""
        return self._caller.standing

    def stands_still(self) -> str | None:
        """Return why this lane is not ready: messages are due, and no call has begun for too long; else None."""
        seconds = self._standstill.seconds(self._machine_s())
        if seconds <= self._limits.still_s:
            return None
        return f"{self.channel}: messages are due and no call has begun for {seconds:.0f} s; restart this process"

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then finish the calls in flight and write their answers down."""
        finished = asyncio.Event()
        self._caller.show()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recorder.run(finished), name=f"{self.channel} answers")
            group.create_task(self._tend(stop), name=f"{self.channel} tending")
            try:
                await self._claim_and_call(stop, group)
            finally:
                finished.set()
        await self._carrier.close()

    async def _claim_and_call(self, stop: asyncio.Event, group: asyncio.TaskGroup) -> None:
        while not stop.is_set():
            self._wake.clear()
            if self._recorder.room and not self._recorder.is_worth_a_claim:
                await self._pause(stop, FILL_S)
            began = self._machine_s()
            free = self._caller.allows(self._recorder.room)
            claimed = await self._claim(free, group) if free > 0 else Claimed()
            if not claimed.more:
                await self._pause(stop, POLL_S)
                if free > 0 and (rest := began + CLAIM_GATHER_S - self._machine_s()) > 0:
                    await asyncio.sleep(rest)

    async def _claim(self, free: int, group: asyncio.TaskGroup) -> Claimed:
        reason = self._clock_differs()
        if reason != self._held_up:
            log.error("lane.held_up" if reason else "lane.goes_on", lane=self.channel, reason=reason)
            self._held_up = reason
        if reason:
            await asyncio.sleep(PAUSE_S)
            return Claimed()
        try:
            claimed = await claim(self._ledger, self._asking(free))
        except Unavailable as error:
            log.warning("lane.unavailable", lane=self.channel, code=error.code)
            for call in error.calls if isinstance(error, ClaimLost) else ():
                self._recorder.begun()
                self._recorder.answered(Answered(call, NotStarted()))
            await asyncio.sleep(PAUSE_S)
            return Claimed()
        for call in claimed.calls:
            self._recorder.begun()
            self._caller.claimed()
            group.create_task(self._call(call), name=f"{self.channel} call")
        self._show(claimed)
        return claimed

    def _asking(self, limit: int) -> Asking:
        return Asking(
            self.channel,
            limit,
            self._sending,
            self._clock.now(),
            self._machine_s(),
            self._limits.per_second,
            self._limits.margin(self._caller.call_s),
        )

    def _show(self, claimed: Claimed) -> None:
        if claimed.settled:
            self._watch.settled(self.channel, claimed.settled)
            self._committed()
        for lane in claimed.elsewhere:
            self._wake_lane(lane)

    async def _call(self, call: Call) -> None:
        answer = await self._caller.call(call)
        self._recorder.places = self._limits.places(self._caller.call_s)
        self._recorder.answered(Answered(call, answer))

    async def _tend(self, stop: asyncio.Event) -> None:
        """Look after what no claim does: leases, deadlines, and the queue of a lane that may not call."""
        while not stop.is_set():
            try:
                if lost := await run_out_leases(self._ledger, self._asking(MOST_TENDED)):
                    self._told(lost)
                may_claim = not self._clock_differs()
                if may_claim:
                    await self._look_after_the_queue()
                self._look(may_claim and await is_due(self._ledger, self._asking(1)))
            except Unavailable as error:
                log.warning("lane.unavailable", lane=self.channel, code=error.code)
                self._look(due=False)
            self._caller.show()
            await self._sleep(stop, TEND_S)

    async def _look_after_the_queue(self) -> None:
        await self._repeatedly(settle_late)
        await self._repeatedly(partial(move_on, rests_s=self._caller.rests_s))

    async def _repeatedly(self, step: Callable[[Ledger, Asking], Awaitable[Claimed]]) -> None:
        more = True
        while more:
            claimed = await step(self._ledger, self._asking(MOST_TENDED))
            self._show(claimed)
            more = claimed.more

    def _look(self, due: bool) -> None:
        """Note whether messages are due, and say so once if none was called for too long."""
        self._standstill = self._standstill.after(due, self._caller.begun, self._machine_s())
        reason = self.stands_still()
        if reason and not self._is_known_to_stand:
            log.error("lane.stands_still", lane=self.channel, reason=reason)
            self._watch.stands_still(self.channel)
        self._is_known_to_stand = reason is not None

    def _told(self, settled: Sequence[Notification]) -> None:
        """Show what answers made of their messages; one for the next channel, or to be gated again, is due now."""
        if settled:
            self._watch.settled(self.channel, [one for one in settled if one.state is not State.QUEUED])
            self._committed()
        if any(one.state is State.QUEUED for one in settled):
            self._wake.set()

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
