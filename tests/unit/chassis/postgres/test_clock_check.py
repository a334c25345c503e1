"""A clock that is off decides nothing, and says so; one that agrees again goes on."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.postgres.clock_check import AgreedClock, ClockCheck, DatabaseClockCheck
from chassis.process.clock import StillClock
from chassis.process.errors import Unavailable
from chassis.process.health import Health

TRUE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Ticks:
    """A clock that nobody sets."""

    s = 1000.0

    def __call__(self) -> float:
        return self.s


class Setting:
    """A machine whose clock is set, and what it is compared with."""

    def __init__(self, off: timedelta = timedelta()) -> None:
        self.clock, self.ticks = StillClock(TRUE + off), Ticks()
        self.check = ClockCheck(self.clock, "the broker's", self.ticks)

    def compare(self, there: datetime = TRUE) -> None:
        self.check.note(self.clock.unstepped(), there, self.clock.unstepped())

    def pass_(self, seconds: float, shown: float | None = None) -> None:
        """Let time pass; the clock shows as much, or something else."""
        self.ticks.s += seconds
        self.clock.move(self.clock.unstepped() + timedelta(seconds=seconds if shown is None else shown))


def test_nothing_is_decided_before_the_clocks_were_compared() -> None:
    assert Setting().check.reason() == "this clock and the broker's were not compared yet"


@pytest.mark.parametrize("sign", [1, -1])
def test_five_seconds_are_no_difference_and_more_is(sign: int) -> None:
    near, far = Setting(sign * 5 * SECOND), Setting(sign * 5.1 * SECOND)
    for setting in (near, far):
        setting.compare()

    assert near.check.reason() is None
    assert far.check.reason() == "this clock and the broker's differ by 5.1 s"


def test_a_slow_answer_is_no_difference() -> None:
    setting = Setting()
    setting.pass_(30)
    setting.check.note(TRUE, TRUE + 20 * SECOND, TRUE + 30 * SECOND)

    assert setting.check.reason() is None


def test_it_goes_on_when_they_agree_again() -> None:
    setting = Setting(timedelta(hours=4, minutes=40))
    setting.compare()
    agreed = AgreedClock(setting.clock, setting.check)
    with pytest.raises(Unavailable) as refused:
        agreed.now()
    assert refused.value.code == "CLOCKS_DIFFER"

    setting.clock.move(TRUE)
    setting.compare()

    assert agreed.now() == TRUE


@pytest.mark.parametrize("shown", [4 * 3600, -4 * 3600, 6.1])
def test_a_clock_that_was_set_since_is_noticed_without_asking(shown: float) -> None:
    setting = Setting()
    setting.compare()
    setting.pass_(60)
    assert setting.check.reason() is None

    setting.pass_(1, shown)

    assert setting.check.reason() == f"this clock was set by {shown - 1:.1f} s"


def test_a_comparison_after_it_was_set_decides_again() -> None:
    setting = Setting()
    setting.compare()
    setting.pass_(1, 3600)

    setting.compare(TRUE + 3601 * SECOND)

    assert setting.check.reason() is None


def test_a_process_whose_clock_is_off_is_not_ready_and_says_why() -> None:
    setting = Setting(7 * SECOND)
    health = Health("test", setting.clock)
    setting.check.watch(health)
    setting.compare()

    assert health.reasons() == {"clocks": "this clock and the broker's differ by 7.0 s"}


class Pool:
    """A database's clock; None: it is away."""

    def __init__(self, *times: datetime | None) -> None:
        self._times = list(times)

    async def fetchval(self, _: str) -> datetime:
        at = self._times.pop(0)
        if at is None:
            raise Unavailable("DATABASE_UNAVAILABLE", "PostgreSQL: ConnectionRefusedError")
        return at


async def test_what_was_found_stands_while_the_database_is_away() -> None:
    pool: Any = Pool(TRUE, None, TRUE + 9 * SECOND, None)
    check = DatabaseClockCheck(pool, StillClock(TRUE))

    await check.compare()
    assert check.reason() is None
    with pytest.raises(Unavailable):
        await check.compare()
    assert check.reason() is None
    await check.compare()
    with pytest.raises(Unavailable):
        await check.compare()
    assert check.reason() is not None
