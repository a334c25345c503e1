"""Whatever happens, and in whatever order: a carrier that is well again is called again within a bound.

Claims, slots, answers and time in every order that hypothesis finds, over the real `Caller`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import replace
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from chassis.process.clock import StillClock
from notifier.carriers.port import CannotCompose, Made
from notifier.gate.domain.channels import Route
from notifier.lanes.domain.breaker import BreakerState
from notifier.lanes.handle.caller import GRACE_S, Caller
from notifier.lanes.handle.limits import Limits
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Accepted, Call, CarrierResult, NotAccepted, Rejected, Unsure
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import MOBILE, NOW, call
from tests.unit.notifier.lane_fakes import NoWatch

LIMITS = Limits(slots=2, timeout_s=60.0, breaker_failures=2, breaker_open_s=15.0)
ANSWERS = (
    Accepted("r"),
    Rejected("HTTP_400"),
    NotAccepted("ConnectError"),
    NotAccepted("HTTP_401", fault=Fault.ACCOUNT),
    NotAccepted("HTTP_429", timedelta(seconds=5), Fault.THROTTLE),
    NotAccepted("HTTP_503", timedelta(seconds=20)),
    Unsure("TIMEOUT"),
)
LONGEST_PATIENCE_S = 20.0
BOUND_S = LIMITS.breaker_open_s + LIMITS.timeout_s + GRACE_S + LONGEST_PATIENCE_S


class Asked:
    """A carrier that answers when the model says so, and cannot write some messages."""

    def __init__(self) -> None:
        self.under_way: list[asyncio.Future[CarrierResult]] = []
        self.cannot_compose = False

    def prepare(self, call: Call) -> Made:
        if self.cannot_compose:
            raise CannotCompose("UndefinedError")

        def made() -> Awaitable[CarrierResult]:
            self.under_way.append(asyncio.get_running_loop().create_future())
            return self.under_way[-1]

        return made

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        return False

    async def close(self) -> None:
        return


class ACarrierThatIsWellIsCalledAgain(RuleBasedStateMachine):
    """Claims that were allowed are under way for as long as the model likes, and so are calls."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: asyncio.AbstractEventLoop
        self.machine_s = 1000.0
        self.carrier = Asked()
        self.caller: Caller
        self.claims: list[tuple[int, float]] = []
        self.calls: list[asyncio.Task[CarrierResult]] = []

    @initialize()
    def begin(self) -> None:
        async def made() -> Caller:
            return Caller(Channel.SMS, "ours", self.carrier, LIMITS, StillClock(NOW), NoWatch(), lambda: self.machine_s)

        self.loop = asyncio.new_event_loop()
        self.caller = self.loop.run_until_complete(made())

    def turn(self) -> None:
        """Let everything go as far as it goes."""

        async def some_turns() -> None:
            for _ in range(8):
                await asyncio.sleep(0)

        self.loop.run_until_complete(some_turns())
        self.calls = [each for each in self.calls if not each.done()]
        self.carrier.under_way = [each for each in self.carrier.under_way if not each.done()]

    @precondition(lambda self: not self.claims)
    @rule(free=st.integers(1, 4))
    def a_claim_begins(self, free: int) -> None:
        if allowed := min(free, self.caller.room):
            self.claims.append((allowed, self.machine_s))

    @precondition(lambda self: self.claims)
    @rule(finds=st.integers(0, 4))
    def a_claim_ends(self, finds: int) -> None:
        allowed, gated_on = self.claims.pop()
        for _ in range(min(allowed, finds)):
            self.claimed(gated_on)
        self.turn()

    def claimed(self, gated_on: float) -> None:
        self.caller.claimed()
        one = replace(call(Kind.REMINDER, Route(Channel.SMS, MOBILE)), gated_on=gated_on)
        self.calls.append(self.loop.create_task(self.made(one)))

    async def made(self, one: Call) -> CarrierResult:
        """Call as a lane does: the place is given back, and the answer written down, whatever comes of it."""
        try:
            return await self.caller.call(one)
        finally:
            self.caller.places.answered()
            self.caller.places.recorded()

    @precondition(lambda self: self.carrier.under_way)
    @rule(which=st.integers(0, 9), answer=st.sampled_from(ANSWERS))
    def a_call_is_answered(self, which: int, answer: CarrierResult) -> None:
        self.carrier.under_way[which % len(self.carrier.under_way)].set_result(answer)
        self.turn()

    @precondition(lambda self: self.calls)
    @rule(which=st.integers(0, 9))
    def a_call_is_lost(self, which: int) -> None:
        """Nobody will ever hear of it: neither its answer nor its end is told."""
        self.calls[which % len(self.calls)].cancel()
        self.turn()

    @rule(cannot=st.booleans())
    def messages_can_or_cannot_be_written(self, cannot: bool) -> None:
        self.carrier.cannot_compose = cannot

    @rule(seconds=st.sampled_from((0.1, 4.0, 6.0, 14.9, 15.0, 61.0)))
    def time_passes(self, seconds: float) -> None:
        self.machine_s += seconds

    @rule()
    def while_one_call_asks_none_is_claimed_beside_it(self) -> None:
        if self.caller.standing is BreakerState.HALF_OPEN and (self.calls or self.carrier.under_way):
            assert self.caller.room <= 1

    def teardown(self) -> None:
        """End what is under way as its time bounds do, make the carrier well, and look whether it is called."""
        if hasattr(self, "loop"):
            with contextlib.closing(self.loop):
                self.is_well_and_called()

    def is_well_and_called(self) -> None:
        self.carrier.cannot_compose = False
        while self.claims:
            self.a_claim_ends(4)
        while self.carrier.under_way:
            for each in self.carrier.under_way:
                each.set_result(Unsure("TIMEOUT"))
            self.turn()
        self.machine_s += BOUND_S
        before = self.caller.begun
        assert self.caller.room >= 1
        self.claimed(self.machine_s)
        [asking] = self.calls
        self.turn()
        assert self.caller.begun == before + 1
        for each in self.carrier.under_way:
            each.set_result(Accepted("r"))
        self.turn()
        assert asking.result() == Accepted("r")
        assert self.caller.standing is BreakerState.CLOSED
        assert self.caller.room >= LIMITS.slots


TestACarrierThatIsWellIsCalledAgain = ACarrierThatIsWellIsCalledAgain.TestCase
TestACarrierThatIsWellIsCalledAgain.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
