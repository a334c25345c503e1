"""A lane's loop: claim, call, record, each in its own step, with as many calls at once as there are slots.

Written down before it is made, gated no longer than 5 s before it is made, given up before its lease
ends: these three together keep a cancelled visit silent and a message single (G5).
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog

from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from notifier.carriers.accounts import Accounts
from notifier.carriers.port import Carrier
from notifier.gate.domain.modes import SendingMode
from notifier.lanes.domain.breaker import BreakerState
from notifier.lanes.handle.caller import Caller
from notifier.lanes.handle.claims import Undecidable, claim
from notifier.lanes.handle.judgement import Asking, Claimed
from notifier.lanes.handle.leases import due, move_on, paused, run_out_leases, settle_late
from notifier.lanes.handle.limits import Limits
from notifier.lanes.handle.one_by_one import OneByOne
from notifier.lanes.handle.ports import Answered, Ledger, Watch
from notifier.lanes.handle.recorder import Recorder
from notifier.ledger.domain.notification import Call, Notification, NotStarted, Unsure
from notifier.ledger.domain.states import NotificationState
from schemas.notifications import Channel

log: structlog.stdlib.BoundLogger = structlog.get_logger()

POLL_S = 0.2
"""How often a lane that nobody wakes looks for due messages; a fan-out in the same process wakes it."""

CLAIM_GATHER_S = 0.025
"""From the start of a claim that left slots free to the start of the next: what is entered meanwhile shares its
trips to the database. Every fan-out wakes every lane."""

ENTERED_WITHIN_S = 0.1
"""From being woken to the claim: the news of one order is read in several portions, and told in one message."""

FILL_S = 0.05
"""How long a lane with some places free waits for half of them: slow calls must not keep the quick ones' places."""

TEND_S = 1.0
MOST_TENDED = 500
PAUSE_S = 1.0

type Step = Callable[[Ledger, Asking], Awaitable[Claimed]]
"""A step over due messages, all or nothing."""


class Lane:
    """One channel's sender. Several of them, in several processes, share the ledger safely.

    Args:
        accounts: Whose account sends for which clinic. Each has slots, a breaker and a rate of its own.
        clock_differs: Returns why this process must not claim (its clock is off), or None.
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
        self._one_by_one = OneByOne(channel, ledger, watch, machine_s)
        self._held_up: str | None = None
        self._broke: dict[str, str] = {}

    def wake(self) -> None:
        """Look for due messages, once the rest of what is being entered is there."""
        asyncio.get_running_loop().call_later(ENTERED_WITHIN_S, self._wake.set)

    @property
    def breakers(self) -> Mapping[str, BreakerState]:
        """Where the breaker of each account stands."""
        return {account: caller.standing for account, caller in self._callers.items()}

    def reason(self) -> str | None:
        """Return why this lane is not ready, or None.

        A step fails whatever it is about; messages cannot be decided; or some are due, and no call begins.
        """
        undecided = [reason] if (reason := self._one_by_one.reason()) else []
        still = [reason for caller in self._callers.values() if (reason := caller.stands_still())]
        return "; ".join([*self._broke.values(), *undecided, *still]) or None

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
        claimed = Claimed()
        async with self._unbroken("claims"):
            claimed = await self._judged(claim, self._asking(rooms))
        for call in claimed.calls:
            self._recorder.begun()
            self._callers[call.account].claimed()
            group.create_task(self._call(call), name=f"{self.channel} call")
        self._show(claimed)
        await self._give_back(claimed.lost)
        return claimed

    async def _judged(self, step: Step, asking: Asking) -> Claimed:
        """Do a step over due messages; if it raises, with each of them by itself."""
        try:
            claimed = await step(self._ledger, asking)
        except Undecidable as error:
            return await self._one_by_one.judge(error)
        self._one_by_one.decided(claimed)
        return claimed

    async def _give_back(self, lost: Sequence[Call]) -> None:
        """Say of calls that none was begun, and give the database a moment."""
        for call in lost:
            self._callers[call.account].places.take()
            self._recorder.begun()
            self._answered(Answered(call, NotStarted()))
        if lost:
            log.warning("lane.claim_lost", lane=self.channel, calls=len(lost))
            await asyncio.sleep(PAUSE_S)

    @asynccontextmanager
    async def _unbroken(self, what: str) -> AsyncIterator[None]:
        """Let nothing that is raised end the lane, which knows its calls under way: it pauses, and is not ready."""
        try:
            yield
        except Unavailable as error:
            log.warning("lane.unavailable", lane=self.channel, code=error.code)
            await asyncio.sleep(PAUSE_S)
        except Exception as error:
            log.exception("lane.broke", lane=self.channel, what=what)
            self._broke[what] = f"{self.channel}: {what} fail: {type(error).__name__}; see lane.broke in the log"
            await asyncio.sleep(PAUSE_S)
        else:
            self._broke.pop(what, None)

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
            may_tell=self._carrier.tells_of_several,
        )

    def _show(self, claimed: Claimed) -> None:
        if claimed.settled:
            self._watch.settled(self.channel, claimed.settled)
            self._committed()
        for lane in claimed.elsewhere:
            self._wake_lane(lane)

    async def _call(self, call: Call) -> None:
        try:
            answer = await self._callers[call.account].call(call)
        except Exception:  # whatever broke around the call, it may have been made
            log.exception("lane.call_broke", lane=self.channel, attempt_id=str(call.attempt_id))
            answer = Unsure("INTERNAL")
        self._answered(Answered(call, answer))

    def _answered(self, answered: Answered) -> None:
        places = self._callers[answered.call.account].places
        places.answered()
        self._recorder.answered(answered)
        if places.are_worth_a_claim:
            self._wake.set()

    def _recorded(self, answers: Sequence[Answered]) -> None:
        for one in answers:
            self._callers[one.call.account].places.recorded()

    async def _tend(self, stop: asyncio.Event) -> None:
        """Look after what no claim does: leases, deadlines, and the queues of accounts that may not call."""
        while not stop.is_set():
            waiting: Collection[str] = ()
            async with self._unbroken("leases and deadlines"):
                await self._run_out_leases()
                if not self._clock_differs():
                    await self._look_after_the_queue()
                    waiting = await due(self._ledger, self._asking(self._most(self._callers)))
            for account, caller in self._callers.items():
                caller.look(account in waiting)
            self._show_breakers()
            await self._sleep(stop, TEND_S)

    async def _run_out_leases(self) -> None:
        try:
            lost = await run_out_leases(self._ledger, self._asking(self._most(self._callers)))
        except Undecidable as error:
            lost = await self._one_by_one.run_out(error)
        self._told(lost)

    async def _look_after_the_queue(self) -> None:
        await self._repeatedly(settle_late, self._callers)
        kept = dict(await paused(self._ledger, self.channel))
        kept |= {account: rests for account, caller in self._callers.items() if (rests := caller.rests_s) is not None}
        for account, keeps_s in kept.items():
            if account in self._callers:
                ours = self._callers[account].is_our_fault
                await self._repeatedly(partial(move_on, keeps_s=keeps_s, is_our_fault=ours), [account])

    async def _repeatedly(self, step: Step, accounts: Collection[str]) -> None:
        more = True
        while more:
            claimed = await self._judged(step, self._asking(self._most(accounts)))
            self._show(claimed)
            await self._give_back([*claimed.calls, *claimed.lost])
            more = claimed.more

    def _most(self, accounts: Collection[str]) -> Mapping[str, int]:
        return dict.fromkeys(accounts, MOST_TENDED)

    def _show_breakers(self) -> None:
        for caller in self._callers.values():
            caller.show()

    def _told(self, settled: Sequence[Notification]) -> None:
        """Show what answers made of their messages; one for the next channel, or to be gated again, is due now."""
        if settled:
            self._watch.settled(self.channel, [one for one in settled if one.state is not NotificationState.QUEUED])
            self._committed()
        if any(one.state is NotificationState.QUEUED for one in settled):
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
