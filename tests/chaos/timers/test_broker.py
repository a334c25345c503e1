"""The broker is paused, killed and started again under load, and the worker is killed while it cannot answer."""

import asyncio
import json
from collections.abc import Callable
from random import Random
from uuid import UUID

import pytest

from schemas.topics import APPOINTMENTS, TIMERS_CHANGELOG
from tests.chaos.timers.workers import TimerWorkers
from tests.support.reminders.changelog import Changelog
from tests.support.reminders.source import Source, planned_wrong, rows_wrong, stream

PER_SECOND = 800
UNDER_LOAD_S = (0.1, 0.8)
PAUSE_S = (0.2, 2.0)


async def kill_in_a_pause(timers: TimerWorkers, source: Source, random: Random) -> None:
    """Let a worker take events, freeze the broker, kill the worker meanwhile, let the broker go on."""
    worker = timers.worker("paused")
    await timers.ready(worker)
    done = asyncio.Event()
    load = asyncio.create_task(stream(timers, source, PER_SECOND, done))
    await asyncio.sleep(random.uniform(*UNDER_LOAD_S))
    timers.broker.pause()
    try:
        await asyncio.sleep(random.uniform(*PAUSE_S))
        worker.kill()
    finally:
        timers.broker.resume()
    done.set()
    await load


async def lost(timers: TimerWorkers) -> list[str]:
    """Return source records that count as taken although the changelog knows nothing of them."""
    taken, changelog = await timers.taken(), Changelog(await timers.log(TIMERS_CHANGELOG))
    held = {visit: row.version for visit, row in changelog.rows.items()}
    unheld = []
    for record in await timers.log(APPOINTMENTS):
        version = json.loads(record.value or b"")
        if (
            record.offset < taken[record.partition]
            and held.get(UUID(version["appointment_id"]), 0) < version["version"]
        ):
            unheld.append(f"{record.partition}/{record.offset} is taken, its row is not there")
    return unheld


async def rows_equal_the_source(timers: TimerWorkers, source: Source) -> list[str]:
    """Let a worker catch up; return where its changelog then differs from the source."""
    worker = timers.worker("paused")
    await timers.settled(worker)
    worker.kill()
    changelog = Changelog(await timers.log(TIMERS_CHANGELOG))
    return rows_wrong(source, changelog) + changelog.steps_back()


async def pauses(timers: TimerWorkers, rounds: int, seed: int = 4) -> tuple[int, Source]:
    """Play rounds of the fault; return after how many the rows equal the source in values, and the source."""
    source, random, equal = Source(seed), Random(seed), 0
    for number in range(rounds):
        await kill_in_a_pause(timers, source, random)
        wrong = await lost(timers) + await rows_equal_the_source(timers, source)
        assert not wrong, (number, len(wrong), wrong[:5])
        equal += 1
    return equal, source


@pytest.mark.timeout(120)
async def test_a_pause_of_the_broker_and_a_kill_in_it_lose_nothing(
    timers: TimerWorkers, say: Callable[[str], None]
) -> None:
    equal, source = await pauses(timers, 1)
    assert planned_wrong(source, await timers.planned()) == []
    say(f"broker paused, worker killed in it: rows equal the source {equal} of 1, {len(source.published)} versions")


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_pauses_of_the_broker_and_kills_in_them_lose_nothing(
    timers: TimerWorkers, rounds: int, say: Callable[[str], None]
) -> None:
    equal, source = await pauses(timers, rounds)
    wrong = planned_wrong(source, await timers.planned())
    say(
        f"broker paused, worker killed in the pause: rows equal the source {equal} of {rounds}; "
        f"{len(source.published)} versions of {len(source.newest)} visits, {len(wrong)} wrong plans"
    )
    assert wrong == []


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_broker_killed_under_load_and_started_again_loses_nothing(
    timers: TimerWorkers, say: Callable[[str], None]
) -> None:
    source, worker = Source(5), timers.worker("broker-killed")
    await timers.ready(worker)
    done = asyncio.Event()
    load = asyncio.create_task(stream(timers, source, PER_SECOND, done))
    kills = 3
    for _ in range(kills):
        await asyncio.sleep(1)
        await asyncio.to_thread(timers.broker.kill)
        await asyncio.to_thread(timers.broker.start)
    await asyncio.sleep(1)
    done.set()
    await load
    ends = await timers.until_settled("broker-killed")
    wrong = rows_wrong(source, Changelog(await timers.log(TIMERS_CHANGELOG))) + planned_wrong(
        source, await timers.planned()
    )
    say(f"broker killed {kills} times: {len(source.published)} versions, {len(wrong)} wrong, worker ended {ends} times")
    assert wrong == []
