"""Whether a claimed message may still be called for when its turn comes: its deadline, and a carrier that says wait."""

import asyncio
from datetime import timedelta

import pytest

from chassis.process.clock import StillClock
from notifier.carriers.port import CannotCompose, Made, NoTemplate
from notifier.lanes.handle.caller import Caller
from notifier.lanes.handle.limits import Limits
from notifier.ledger.domain.notification import Accepted, Call, CarrierResult, NotAccepted, NotStarted, Rejected
from schemas.notifications import Channel, Kind
from tests.support.notifier.builders import STARTS, call
from tests.unit.notifier.lane_fakes import NoWatch

SECOND = timedelta(seconds=1)


class SlowCarrier:
    """Answers each call when it is told to, in the order they began."""

    def __init__(self, cannot: CannotCompose | None = None) -> None:
        self.begun: list[asyncio.Future[CarrierResult]] = []
        self._cannot = cannot

    def prepare(self, call: Call) -> Made:
        if self._cannot:
            raise self._cannot

        async def made() -> CarrierResult:
            self.begun.append(asyncio.get_running_loop().create_future())
            return await self.begun[-1]

        return made

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        return False

    async def close(self) -> None:
        return None


async def until(count: int, carrier: SlowCarrier) -> None:
    async with asyncio.timeout(10):
        while len(carrier.begun) < count:  # noqa: ASYNC110  # another task's doing
            await asyncio.sleep(0)


@pytest.mark.parametrize(("after", "begins"), [(0 * SECOND, True), (SECOND, False)])
async def test_i8_no_call_begins_after_its_deadline_however_long_it_stood_in_line(
    after: timedelta, begins: bool
) -> None:
    carrier, clock = SlowCarrier(), StillClock(STARTS + after)
    caller = Caller(Channel.EMAIL, "ours", carrier, Limits(1, 30.0), clock, NoWatch(), lambda: 0.0)
    caller.claimed()

    calling = asyncio.ensure_future(caller.call(call()))
    if begins:
        await until(1, carrier)
        carrier.begun[0].set_result(Accepted("r"))

    assert isinstance(await calling, Accepted if begins else NotStarted)
    assert len(carrier.begun) == begins


async def test_b10_of_two_answers_that_ask_for_patience_the_longer_counts() -> None:
    carrier, machine_s = SlowCarrier(), [0.0]
    caller = Caller(
        Channel.EMAIL, "ours", carrier, Limits(3, 30.0), StillClock(STARTS), NoWatch(), lambda: machine_s[0]
    )
    calling = [asyncio.ensure_future(caller.call(call())) for _ in range(2)]
    await until(2, carrier)
    for begun, seconds in zip(carrier.begun, (4, 1), strict=True):
        begun.set_result(NotAccepted("429", retry_after=seconds * SECOND))
        await asyncio.sleep(0)
    await asyncio.gather(*calling)

    machine_s[0] = 3.0

    async with asyncio.timeout(5):
        assert isinstance(await caller.call(call()), NotStarted)
    assert len(carrier.begun) == 2


@pytest.mark.parametrize(
    ("cannot", "code"), [(NoTemplate(), "NO_TEMPLATE"), (CannotCompose("UndefinedError"), "CANNOT_COMPOSE")]
)
async def test_r34_what_a_channel_has_no_words_for_is_told_apart_from_what_is_broken(
    cannot: CannotCompose, code: str
) -> None:
    carrier = SlowCarrier(cannot)
    caller = Caller(Channel.WHATSAPP, "ours", carrier, Limits(1, 30.0), StillClock(STARTS), NoWatch(), lambda: 0.0)
    caller.claimed()

    assert await caller.call(call()) == Rejected(code)
    assert carrier.begun == []
