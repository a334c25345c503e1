"""A lane's loop: claim, call, record, each in its own step, with as many calls at once as there are slots.

Written down before it is made, gated no longer than 5 s before it is made, given up before its lease
ends: these three together keep a cancelled visit silent and a message single (G5).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

import structlog

from chassis.clock import Clock
from chassis.errors import Unavailable
from notifier.domain.accounts import Accounts
from notifier.domain.breaker import Standing as BreakerStanding
from notifier.domain.ledger import Call, Notification, NotStarted
from notifier.domain.modes import SendingMode
from notifier.domain.states import State
from notifier.handle.calling import Caller
from notifier.handle.lane import Asking, Claimed, ClaimLost, claim
from notifier.handle.limits import Limits
from notifier.handle.ports import Answered, CannotCompose, Carrier, Ledger, Made, Watch
from notifier.handle.recording import Recorder
from notifier.handle.tending import due, move_on, paused, run_out_leases, settle_late
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
        accounts: Whose account sends for which clinic. Each has slots, a breaker and a rate of its own.
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
        accounts: Accounts,
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
        self._accounts = accounts
        self._callers = {
            account: Caller(channel, account, carrier, limits, clock, watch, machine_s) for account in accounts.every
        }
        self._recorder = Recorder(channel, ledger, clock, self._recorded, self._told)
        self._held_up: str | None = None

    def wake(self) -> None:
        """Look for due messages now."""
        self._wake.set()

    @property
    def breakers(self) -> Mapping[str, BreakerStanding]:
        """Where the breaker of each account stands."""
        return {account: caller.standing for account, caller in self._callers.items()}

    def stands_still(self) -> str | None:
        """Return why this lane is not ready: messages are due, and no call has begun for too long; else None."""
        reasons = [reason for caller in self._callers.values() if (reason := caller.stands_still())]
        return "; ".join(reasons) or None

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; then finish the calls in flight and write their answers down."""
        finished = asyncio.Event()
        self._show_breakers()
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
            if self._is_nearly_full:
                await self._pause(stop, FILL_S)
            began = self._machine_s()
            rooms = {account: room for account, caller in self._callers.items() if (room := caller.room)}
            claimed = await self._claim(rooms, group) if rooms else Claimed()
            if not claimed.more:
                await self._pause(stop, POLL_S)
                if rooms and (rest := began + CLAIM_GATHER_S - self._machine_s()) > 0:
                    await asyncio.sleep(rest)

    @property
    def _is_nearly_full(self) -> bool:
        """Say whether some account has room for messages, and none for so many that they are worth a claim."""
        places = [caller.places for caller in self._callers.values() if caller.places.room]
        return bool(places) and not any(each.are_worth_a_claim for each in places)

    async def _claim(self, rooms: Mapping[str, int], group: asyncio.TaskGroup) -> Claimed:
        reason = self._clock_differs()
        if reason != self._held_up:
            log.error("lane.held_up" if reason else "lane.goes_on", lane=self.channel, reason=reason)
            self._held_up = reason
        if reason:
            await asyncio.sleep(PAUSE_S)
            return Claimed()
        try:
            claimed = await claim(self._ledger, self._asking(rooms))
        except Unavailable as error:
            log.warning("lane.unavailable", lane=self.channel, code=error.code)
            for call in error.calls if isinstance(error, ClaimLost) else ():
                self._callers[call.account].places.take()
                self._recorder.begun()
                self._answered(Answered(call, NotStarted()))
            await asyncio.sleep(PAUSE_S)
            return Claimed()
        for call in claimed.calls:
            self._recorder.begun()
            self._callers[call.account].claimed()
            group.create_task(self._call(call), name=f"{self.channel} call")
        self._show(claimed)
        return claimed

    def _asking(self, limits: Mapping[str, int]) -> Asking:
        return Asking(
            self.channel,
            limits,
            self._accounts,
            self._sending,
            self._clock.now(),
            self._machine_s(),
            self._limits.per_second,
            self._limits.margin(max(caller.call_s for caller in self._callers.values())),
        )

    def _show(self, claimed: Claimed) -> None:
        if claimed.settled:
            self._watch.settled(self.channel, claimed.settled)
            self._committed()
        for lane in claimed.elsewhere:
            self._wake_lane(lane)

    async def _call(self, call: Call) -> None:
        self._answered(Answered(call, await self._callers[call.account].call(call)))

    def _answered(self, answered: Answered) -> None:
        places = self._callers[answered.call.account].places
        places.answered()
        self._recorder.answered(answered)
        if places.are_worth_a_claim:
            self.wake()

    def _recorded(self, answers: Sequence[Answered]) -> None:
        for one in answers:
            self._callers[one.call.account].places.recorded()

    async def _tend(self, stop: asyncio.Event) -> None:
        """Look after what no claim does: leases, deadlines, and the queues of accounts that may not call."""
        while not stop.is_set():
            waiting: Collection[str] = ()
            try:
                if lost := await run_out_leases(self._ledger, self._asking(self._most(self._callers))):
                    self._told(lost)
                if not self._clock_differs():
                    await self._look_after_the_queue()
                    waiting = await due(self._ledger, self._asking(self._most(self._callers)))
            except Unavailable as error:
                log.warning("lane.unavailable", lane=self.channel, code=error.code)
            for account, caller in self._callers.items():
                caller.look(account in waiting)
            self._show_breakers()
            await self._sleep(stop, TEND_S)

    async def _look_after_the_queue(self) -> None:
        await self._repeatedly(settle_late, self._callers)
        kept = dict(await paused(self._ledger, self.channel))
        kept |= {account: rests for account, caller in self._callers.items() if (rests := caller.rests_s) is not None}
        for account, keeps_s in kept.items():
            if account in self._callers:
                ours = self._callers[account].is_our_fault
                await self._repeatedly(partial(move_on, keeps_s=keeps_s, is_our_fault=ours), [account])

    async def _repeatedly(
        self, step: Callable[[Ledger, Asking], Awaitable[Claimed]], accounts: Collection[str]
    ) -> None:
        more = True
        while more:
            claimed = await step(self._ledger, self._asking(self._most(accounts)))
            self._show(claimed)
            more = claimed.more

    def _most(self, accounts: Collection[str]) -> Mapping[str, int]:
        return dict.fromkeys(accounts, MOST_TENDED)

    def _show_breakers(self) -> None:
        for caller in self._callers.values():
            caller.show()

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
