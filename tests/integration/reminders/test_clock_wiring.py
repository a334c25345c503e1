"""Worker and projector as they are put together fire nothing by a clock that nobody agrees with (design §7)."""

import signal
from datetime import timedelta

import pytest

from tests.support.database_clock import shift
from tests.support.reminders.builders import VISIT, appointment
from tests.support.reminders.running import Process, World
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def reasons(world: World, process: Process) -> dict[str, str]:
    found: dict[str, str] = (await world.get(process, "/health/ready")).json()["reasons"]
    return found


async def test_a_worker_that_is_hours_ahead_of_the_broker_plans_fires_nothing_and_says_so(world: World) -> None:
    await world.publish(appointment())
    world.step(VISIT - timedelta(hours=24))

    worker = world.start("worker", module="tests.integration.reminders.fast_worker")
    await until(lambda: _only_clocks(world, worker), "it is well but for its clock")

    assert "this clock and the broker's differ by 16" in (await reasons(world, worker))["clocks"]
    assert [[one.rule for one in plan.reminders] for plan in await world.planned()] == [["24h", "2h"]]
    assert (await world.due(), await world.cancelled()) == ([], [])
    assert worker.kill(signal.SIGTERM) == 0

    world.start("worker")
    await until(lambda: _handed_over(world), "by a clock that agrees it is handed over")


async def _only_clocks(world: World, worker: Process) -> bool:
    return (
        await world.answers(worker) and list(await reasons(world, worker)) == ["clocks"] and bool(await world.planned())
    )


async def _handed_over(world: World) -> bool:
    return bool(await world.due() or await world.cancelled())


async def test_a_projector_whose_database_has_another_clock_opens_no_morning_and_says_so(world: World) -> None:
    await shift(world.installation.admin_url, timedelta(hours=4, minutes=40))

    projector = world.start("projector")
    await until(lambda: _says_clocks(world, projector), "it says that the clocks differ")

    assert "PostgreSQL's differ" in (await reasons(world, projector))["clocks"]
    assert projector.kill(signal.SIGTERM) == 0


async def _says_clocks(world: World, process: Process) -> bool:
    return await world.answers(process) and "clocks" in await reasons(world, process)
