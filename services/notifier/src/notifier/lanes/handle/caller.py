"""A lane's calls: each in a slot, past the breaker, before its deadline, and over in time whatever the carrier does."""

import asyncio
from collections.abc import Callable

import structlog

from chassis.process.clock import Clock
from notifier.carriers.port import Carrier, Made, NoTemplate
from notifier.lanes.domain.breaker import Breaker, BreakerState
from notifier.lanes.domain.standstill import Standstill
from notifier.lanes.handle.judgement import patience_s
from notifier.lanes.handle.limits import LONGEST_IN_LINE_S, OLDEST_GATE_S, Limits
from notifier.lanes.handle.places import Places
from notifier.lanes.handle.ports import Watch
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import (
    CANNOT_COMPOSE,
    NO_TEMPLATE,
    Call,
    CarrierResult,
    NotAccepted,
    NotStarted,
    Rejected,
    Unsure,
)
from schemas.notifications import Channel

log: structlog.stdlib.BoundLogger = structlog.get_logger()

MEMORY = 0.1
"""How much the last call counts for how long a call takes."""

GRACE_S = 1.0
"""How long a call that was given up may take to end; after that its slot is free without it."""


class Caller:
    """Makes one account's calls, as many at once as there are slots, and knows whether one may begin."""

    def __init__(
        self,
        channel: Channel,
        account: str,
        carrier: Carrier,
        limits: Limits,
        clock: Clock,
        watch: Watch,
        machine_s: Callable[[], float],
    ) -> None:
        self._channel, self._account, self._carrier, self._limits = channel, account, carrier, limits
        self._clock, self._watch, self._machine_s = clock, watch, machine_s
        self.begun, self.call_s = 0, LONGEST_IN_LINE_S
        self.places = Places(limits.slots)
        self._in_line = 0
        self._standstill, self._is_known_to_stand = Standstill(), False
        self._slots = asyncio.Semaphore(limits.slots)
        self._breaker = Breaker(limits.breaker_failures, limits.breaker_open_s, limits.timeout_s + GRACE_S)
        self._patient_until = 0.0
        self._left: set[asyncio.Future[CarrierResult]] = set()

    @property
    def standing(self) -> BreakerState:
        """Where the breaker stands."""
        return self._breaker.standing(self._machine_s())

    @property
    def rests_s(self) -> float | None:
        """For how long the breaker rests, or None while calls may begin."""
        return None if self.standing is BreakerState.CLOSED else self._breaker.rests_s(self._machine_s())

    @property
    def room(self) -> int:
        """How many messages may be claimed now; while one call is to ask, none beside it."""
        if self.standing is not BreakerState.CLOSED and self._in_line:
            return 0
        return self._breaker.allows(self.places.room, self._machine_s())

    def claimed(self) -> None:
        """Count a message that was claimed and whose `call` is to follow."""
        self.places.take()
        self._in_line += 1

    @property
    def is_our_fault(self) -> bool:
        """Say whether the breaker rests because our account was refused."""
        return self._breaker.is_ours

    def look(self, due: bool) -> None:
        """Note whether messages are due, and say so once if none was called for too long."""
        self._standstill = self._standstill.after(due, self.begun, self._machine_s())
        reason = self.stands_still()
        if reason and not self._is_known_to_stand:
            log.error("lane.stands_still", lane=self._channel, account=self._account, reason=reason)
            self._watch.stands_still(self._channel, self._account)
        self._is_known_to_stand = reason is not None

    def stands_still(self) -> str | None:
        """Return that messages are due and no call has begun for too long, if so."""
        seconds = self._standstill.seconds(self._machine_s())
        if seconds <= self._limits.still_s:
            return None
        where = f"{self._channel} by {self._account}"
        return f"{where}: messages are due and no call has begun for {seconds:.0f} s; restart this process"

    async def call(self, call: Call) -> CarrierResult:
        """Wait for a slot, and make one call unless it may no longer begin."""
        waits = True
        try:
            async with self._slots:
                self._in_line, waits = self._in_line - 1, False
                return await self._made(call)
        finally:
            self._in_line -= waits

    async def _made(self, call: Call) -> CarrierResult:
        """Make one call, unless its gate has gone stale, its deadline has passed or its carrier is left alone."""
        try:
            made = self._carrier.prepare(call)
        except NoTemplate:
            return Rejected(NO_TEMPLATE)
        except Exception:  # one message that cannot be written must not stop its lane; nothing has left
            log.exception("lane.cannot_compose", lane=self._channel, attempt_id=str(call.attempt_id))
            return Rejected(CANNOT_COMPOSE)
        began = self._machine_s()
        if began - call.gated_on > OLDEST_GATE_S or self._clock.now() > call.not_after or began < self._patient_until:
            return NotStarted()
        begun = self._breaker.begin(began)
        if begun is None:
            return NotStarted()
        self._breaker = begun
        self.begun += 1
        answer = await self._answer(made, call)
        self._took(self._machine_s() - began)
        self._learn(answer)
        return answer

    def _took(self, seconds: float) -> None:
        self._watch.called(self._channel, seconds)
        self.call_s += MEMORY * (seconds - self.call_s)
        self.places.most = self._limits.places(self.call_s)

    async def _answer(self, made: Made, call: Call) -> CarrierResult:
        """Return the answer, in time. A call that does not end even when it is given up keeps no slot."""
        calling = asyncio.ensure_future(made())
        try:
            ended, _ = await asyncio.wait((calling,), timeout=self._limits.timeout_s)
            if not ended:
                calling.cancel()
                await asyncio.wait((calling,), timeout=GRACE_S)
        except asyncio.CancelledError:
            calling.cancel()
            raise
        if not ended:
            self._leave(calling, call)
            return Unsure("TIMEOUT")
        if calling.cancelled():
            return Unsure("CANCELLED")
        if error := calling.exception():  # whatever a carrier's library does, the message may have left
            log.error("lane.call_broke", lane=self._channel, attempt_id=str(call.attempt_id), exc_info=error)
            return Unsure("INTERNAL")
        return calling.result()

    def _leave(self, calling: asyncio.Future[CarrierResult], call: Call) -> None:
        """Hold on to a call that was given up until it ends, and look at nothing that it says."""
        if not calling.done():
            log.error("lane.call_hangs", lane=self._channel, attempt_id=str(call.attempt_id))
        self._left.add(calling)
        calling.add_done_callback(self._left.discard)
        calling.add_done_callback(lambda ended: ended.cancelled() or ended.exception())

    def _learn(self, answer: CarrierResult) -> None:
        """Move the breaker by this answer, and say so if it turned."""
        was_closed, at = self._breaker.opened_at is None, self._machine_s()
        if isinstance(answer, NotAccepted):
            self._report_refusal(answer)
            if answer.retry_after:
                self._patient_until = max(self._patient_until, at + patience_s(answer.retry_after))
        self._breaker = self._breaker.after(answer, at)
        is_closed = self._breaker.opened_at is None
        if is_closed is not was_closed:
            self.show()
            place = {"lane": self._channel, "account": self._account}
            if is_closed:
                log.info("lane.breaker_closed", **place)
            else:
                log.error("lane.breaker_opened", failures=self._breaker.failures, **place)

    def _report_refusal(self, answer: NotAccepted) -> None:
        self._watch.refused(self._channel, self._account, answer.fault)
        if answer.fault in {Fault.ACCOUNT, Fault.SENDER}:  # nothing but a person mends it
            place = {"lane": self._channel, "account": self._account}
            log.error("lane.not_set_up", fault=answer.fault.value, code=answer.code, **place)

    def show(self) -> None:
        """Show where the breaker stands."""
        self._watch.stands(self._channel, self._account, self.standing)
