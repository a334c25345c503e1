"""One, two and three workers share the partitions; what is written in batches of any size is recovered."""

import asyncio
import signal
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from schemas.topics import TIMERS_CHANGELOG
from tests.chaos.timers.workers import TimerWorkers, freeze, thaw
from tests.support.reminders.changelog import Changelog
from tests.support.reminders.running import Process
from tests.support.reminders.source import FIRST_VISIT, Source, planned_wrong, repeats, rows_wrong, stream
from tests.support.topics import Log
from tests.support.waiting import until

BATCHES = {1: 30, 10: 10, 1000: 2}
"""Size of a batch → how many of it."""

A_DAY_BEFORE = FIRST_VISIT - timedelta(hours=23)


def longest_batch(log: Log) -> int:
    """Return the most records in a row of one partition: a commit marker takes an offset of its own."""
    longest = run = 1
    for before, after in pairwise(log):
        follows = after.partition == before.partition and after.offset == before.offset + 1
        run = run + 1 if follows else 1
        longest = max(longest, run)
    return longest


@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_a_changelog_written_in_batches_of_1_10_and_1000_is_recovered_as_written(
    timers: TimerWorkers, say: Callable[[str], None]
) -> None:
    source, worker, longest = Source(8), timers.worker("one"), {}
    await timers.settled(worker)
    for size, times in BATCHES.items():
        for number in range(times):
            batch = source.book(size, partition=number % 12)
            freeze(worker)  # so that it finds the batch whole
            await timers.publish(*batch)
            thaw(worker)
            await timers.idle(worker)
        longest[size] = longest_batch(await timers.log(TIMERS_CHANGELOG))
    worker.kill()
    written = Changelog(await timers.log(TIMERS_CHANGELOG))

    again = timers.worker("one")
    await timers.settled(again)
    recovered = await timers.rows_live(again)
    timers.step(A_DAY_BEFORE)
    await timers.settled(again)
    due, wanted = await timers.due(), source.due_by(A_DAY_BEFORE)
    say(
        f"changelog in batches (size: longest seen) {longest}: {len(source.newest)} written, {recovered} recovered, "
        f"{len({d.reminder_id for d in due} & wanted)} of {len(wanted)} reminders, {repeats(due)} repeats"
    )
    assert rows_wrong(source, written) == []
    assert recovered == len(source.newest)
    assert {d.reminder_id for d in due} == wanted


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("standbys", [0, 1])
async def test_workers_that_join_and_leave_in_a_burst_lose_nothing(
    timers: TimerWorkers, say: Callable[[str], None], standbys: int
) -> None:
    copies = {"REMINDERS_STANDBYS": str(standbys)}
    source, first = Source(9), timers.worker("one", **copies)
    await timers.settled(first)
    done = asyncio.Event()
    load = asyncio.create_task(stream(timers, source, 600, done))
    second, third = timers.worker("two", **copies), timers.worker("three", **copies)
    await shared(timers, first, second, third)
    second.kill()
    await asyncio.sleep(2)
    fourth = timers.worker(**copies)  # without a slot: an ordinary member
    await asyncio.sleep(1)
    await asyncio.to_thread(third.kill, signal.SIGTERM)
    await asyncio.sleep(2)
    back = timers.worker("two", **copies)
    await shared(timers, first, fourth, back)
    done.set()
    await load
    await timers.settled(first, fourth, back)
    shares = [await timers.rows_live(process) for process in (first, fourth, back)]
    changelog = Changelog(await timers.log(TIMERS_CHANGELOG))
    wrong = rows_wrong(source, changelog) + changelog.steps_back() + planned_wrong(source, await timers.planned())

    timers.step(A_DAY_BEFORE)
    await timers.settled(first, fourth, back)
    due, wanted = await timers.due(), source.due_by(A_DAY_BEFORE)
    found = {d.reminder_id for d in due}
    say(
        f"1, 2 and 3 workers, standby {standbys}, 4 joined and 2 left in a burst: {len(source.published)} versions, "
        f"{len(wrong)} wrong; shares {shares}; {len(found & wanted)} of {len(wanted)} reminders, "
        f"{len(found - wanted)} ghosts, {repeats(due)} repeats"
    )
    assert wrong == []
    assert sum(shares) == len(source.newest)
    assert min(shares) > 0
    assert found == wanted


async def shared(timers: TimerWorkers, *processes: Process) -> None:
    """Wait until each of the workers is ready and has rows of its own."""
    await timers.ready(*processes)

    async def all_have() -> bool:
        return all([await timers.rows_live(process) > 0 for process in processes])

    await until(all_have, "each worker has rows")
