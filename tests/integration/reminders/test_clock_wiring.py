"""Worker and projector as they are put together fire nothing by a clock that nobody agrees with (design §7)."""

import signal
from datetime import timedelta

import pytest

from tests.support.database_clock import shift
from tests.support.reminders.builders import VISIT, appointment
from tests.support.reminders.running import Process, RunningReminders
from tests.support.waiting import until

pytestmark = pytest.mark.integration


async def reasons(reminders: RunningReminders, process: Process) -> dict[str, str]:
    found: dict[str, str] = (await reminders.get(process, "/health/ready")).json()["reasons"]
    return found


async def test_a_worker_that_is_hours_ahead_of_the_broker_plans_fires_nothing_and_says_so(
    reminders: RunningReminders,
) -> None:
    await reminders.publish(appointment())
    reminders.step(VISIT - timedelta(hours=24))

    worker = reminders.start("worker", module="tests.integration.reminders.fast_worker")
    await until(lambda: _only_clocks(reminders, worker), "it is well but for its clock")

    assert "this clock and the broker's differ by 16" in (await reasons(reminders, worker))["clocks"]
    assert [[one.rule for one in plan.reminders] for plan in await reminders.planned()] == [["24h", "2h"]]
    assert (await reminders.due(), await reminders.cancelled()) == ([], [])
    assert worker.kill(signal.SIGTERM) == 0

    reminders.start("worker")
    await until(lambda: _handed_over(reminders), "by a clock that agrees it is handed over")


async def _only_clocks(reminders: RunningReminders, worker: Process) -> bool:
    return (
        await reminders.answers(worker)
        and list(await reasons(reminders, worker)) == ["clocks"]
        and bool(await reminders.planned())
    )


async def _handed_over(reminders: RunningReminders) -> bool:
    return bool(await reminders.due() or await reminders.cancelled())


async def test_a_projector_whose_database_has_another_clock_opens_no_morning_and_says_so(
    reminders: RunningReminders,
) -> None:
    await shift(reminders.installation.admin_url, timedelta(hours=4, minutes=40))

    projector = reminders.start("projector")
    await until(lambda: _says_clocks(reminders, projector), "it says that the clocks differ")

    assert "PostgreSQL's differ" in (await reasons(reminders, projector))["clocks"]
    assert projector.kill(signal.SIGTERM) == 0


async def _says_clocks(reminders: RunningReminders, process: Process) -> bool:
    return await reminders.answers(process) and "clocks" in await reasons(reminders, process)
