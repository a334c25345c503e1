"""Workers join and leave while timers fire: what is being fired is finished before the partitions go."""

from datetime import timedelta

import pytest

from tests.support.reminders.firing import FIRST_DUE, Pace, all_left, join_and_leave, wrongs
from tests.support.reminders.running import RunningReminders
from tests.support.reminders.source import Source

pytestmark = pytest.mark.integration


@pytest.mark.timeout(300)
async def test_a_worker_that_joins_and_leaves_while_timers_fire_costs_no_worker_no_reminder_and_no_repeat(
    reminders: RunningReminders,
) -> None:
    source = Source(31)
    first = reminders.start("worker")
    await reminders.ready(first)
    joins_at, leaves_at = FIRST_DUE, FIRST_DUE + timedelta(hours=1)
    await reminders.publish(*Pace(per_second=2500, seconds=9).visits(source, joins_at))
    await reminders.publish(*Pace(per_second=2500, seconds=3).visits(source, leaves_at))
    await reminders.idle(first)

    code = await join_and_leave(reminders, joins_at, leaves_at)
    await all_left(reminders, source, first)

    assert code == 0
    assert first.lives
    assert wrongs(source, await reminders.due()) == []
