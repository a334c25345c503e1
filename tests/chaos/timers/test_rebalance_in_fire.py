"""Rebalances and stops while timers fire at full speed."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.chaos.timers.workers import TimerWorkers
from tests.support.reminders.firing import FIRST_DUE, Pace, all_left, join_and_leave, wrongs
from tests.support.reminders.source import Source

JOINING, LEAVING = Pace(per_second=3000, seconds=9), Pace(per_second=3000, seconds=4)
HOUR = timedelta(hours=1)
TIMES = [(FIRST_DUE + number * HOUR, FIRST_DUE + (number + 1) * HOUR) for number in (0, 2, 4)]


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("membership", ["dynamic", "static"])
async def test_workers_that_join_and_leave_while_3000_timers_a_second_fire_cost_nothing(
    timers: TimerWorkers, say: Callable[[str], None], membership: str
) -> None:
    slots = [f"slot {number}" if membership == "static" else None for number in range(4)]
    source, first = Source(41), timers.worker(slots[0])
    await timers.ready(first)
    for joins_at, leaves_at in TIMES:
        await timers.publish(*JOINING.visits(source, joins_at), *LEAVING.visits(source, leaves_at))
    await timers.settled(first)

    codes = [await join_and_leave(timers, *times, slot) for times, slot in zip(TIMES, slots[1:], strict=True)]
    await all_left(timers, source, first)

    wrong = wrongs(source, await timers.due())
    say(f"{membership} members, {len(source.newest)} timers at 3,000/s, 3 joined and left: {codes}, {wrong}")
    assert codes == [0, 0, 0]
    assert first.lives
    assert wrong == []
