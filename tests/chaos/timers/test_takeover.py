"""A worker under load is killed: how long until every partition fires again."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

import pytest

from chassis.process.clock import clock_from
from schemas.topics import APPOINTMENTS
from tests.chaos.timers.test_sharing import shared
from tests.chaos.timers.workers import TimerWorkers
from tests.support.reminders.source import Source, stream
from tests.support.waiting import until

SOON = timedelta(hours=24, seconds=1)
"""A visit so far ahead is reminded of in a second."""


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("again", [False, True], ids=["taken over by the other", "started again in its slot"])
async def test_every_partition_fires_again_after_a_worker_under_load_is_killed(
    timers: TimerWorkers, say: Callable[[str], None], again: bool
) -> None:
    source, probes, clock = Source(11), Source(12), clock_from(timers.clock_file)
    slots = ("one", "two") if again else (None, None)
    workers = [timers.worker(slot) for slot in slots]
    await timers.ready(*workers)
    await timers.publish(*source.book(2000))
    await shared(timers, *workers)
    done = asyncio.Event()
    load = asyncio.create_task(stream(timers, source, 400, done))

    workers[0].kill()
    killed = time.monotonic()
    if again:
        workers[0] = timers.worker("one")
    visits = [probes.book(1, clock.now() + SOON, partition=n)[0] for n in range(APPOINTMENTS.partitions)]
    await timers.publish(*visits)
    wanted = {visit.appointment_id for visit in visits}

    async def all_fired() -> bool:
        return wanted <= {due.appointment_id for due in await timers.due()}

    await until(all_fired, "every partition fires")
    seconds = time.monotonic() - killed
    done.set()
    await load
    how = "killed and started again in its slot" if again else "killed, taken over by the other"
    say(f"one of two workers {how} under load: every partition fired again after {seconds:.1f} s")
    await timers.settled(*(worker for worker in workers if worker.lives))
    assert len([due for due in await timers.due() if due.appointment_id in wanted]) == len(wanted)
