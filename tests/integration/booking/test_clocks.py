"""A booking whose clock is off decides nothing by it, on a real PostgreSQL: it takes no order, and marks no no-show."""

from datetime import UTC, datetime, timedelta

import pytest

from booking.no_shows.domain import NoShowRule
from booking.no_shows.job import NoShowCheck
from chassis.postgres.clock_check import AgreedClock, ClockCheck, DatabaseClockCheck
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from chassis.time_slots.metrics import SlotMetrics
from chassis.time_slots.runner import Runner
from tests.support.booking.door import Door, booking, opened
from tests.support.installation import Installation

FAST = timedelta(hours=4, minutes=40)


class SetClock(RealClock):
    """A machine's clock that somebody sets."""

    off = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.off

    def unstepped(self) -> datetime:
        return self.now()


async def test_an_order_waits_until_the_clocks_agree_and_is_then_taken_once(base: Installation) -> None:
    """By a clock that is ahead the visit's reminders would be past, and nobody would ever be reminded."""
    clock = SetClock()
    check = ClockCheck(clock, "PostgreSQL's")
    check.note(clock.unstepped(), clock.unstepped(), clock.unstepped())
    async with opened(base, AgreedClock(clock, check)) as door:
        before = await door.counts()
        clock.off = FAST

        refused = await door.ask("POST", "/v1/events", booking())

        assert (refused.status_code, refused.json()["code"]) == (503, "CLOCKS_DIFFER")
        assert await door.counts() == before
        clock.off = timedelta()
        assert (await door.post(booking()))["result"] == "applied"


async def test_no_visit_becomes_a_no_show_by_a_clock_that_nobody_agrees_with(door: Door) -> None:
    start = datetime.now(UTC) + timedelta(minutes=10)
    await door.post(booking(start=start.isoformat(), end=(start + timedelta(minutes=10)).isoformat()))
    clock = SetClock()
    clock.off = FAST
    check = DatabaseClockCheck(door.pool, clock)
    await check.compare()
    slots = Runner(door.pool, AgreedClock(clock, check), NoShowCheck(NoShowRule()), SlotMetrics(Metrics("test")))

    with pytest.raises(Unavailable):
        await slots.round()

    assert [row["status"] for row in await door.pool.fetch("SELECT status FROM appointment")] == ["booked"]
    clock.off = timedelta()
    await check.compare()
    await slots.round()
    assert [row["status"] for row in await door.pool.fetch("SELECT status FROM appointment")] == ["booked"]
