"""The parts of a process fail apart: one that fails is shown and run again, and the door stays open (0019)."""

import asyncio

import pytest

from chassis.process.clock import RealClock
from chassis.process.errors import Misconfigured, Unavailable
from chassis.process.health import Health
from chassis.process.parts import STEADY_S, run_all
from tests.support.waiting import until


class Part:
    """Raises what it is given, once each; then it runs until it is told to stop."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.begun = 0
        self.ended = False

    async def __call__(self, stop: asyncio.Event) -> None:
        self.begun += 1
        if self.failures:
            raise self.failures.pop(0)
        await stop.wait()
        self.ended = True


@pytest.fixture
def health() -> Health:
    return Health("shop", RealClock())


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (ZeroDivisionError("with a name in it"), "ZeroDivisionError"),
        (Misconfigured("this database's offsets belong to another cluster"), "this database's offsets"),
        (Unavailable("GONE", "Kafka is away"), "Kafka is away"),
        (OSError("x"), "OSError"),
        (ExceptionGroup("g", [ValueError()]), "ExceptionGroup"),
    ],
)
async def test_a_part_that_fails_is_shown_and_run_again_and_the_door_stays_open(
    health: Health, failure: Exception, reason: str
) -> None:
    stop, now, consumer, door = asyncio.Event(), [0.0], Part(failure), Part()
    running = asyncio.create_task(run_all(stop, health, {"http": door, "consumer": consumer}, monotonic=lambda: now[0]))

    await until(lambda: "part consumer" in health.reasons())
    told = health.reasons()["part consumer"]
    await until(lambda: consumer.begun == 2)
    assert "part consumer" in health.reasons()  # until it has run for a while
    now[0] += STEADY_S
    assert health.reasons() == {}
    assert (door.begun, door.ended, stop.is_set()) == (1, False, False)
    stop.set()
    await running

    assert reason in told
    assert "name" not in told
    assert consumer.ended
    assert door.ended


async def cancelled(_stop: asyncio.Event) -> None:
    raise asyncio.CancelledError


async def test_a_vital_part_that_is_cancelled_is_no_clean_end(health: Health) -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await run_all(asyncio.Event(), health, {"http": Part(), "timers": cancelled}, vital=("http", "timers"))

    assert caught.group_contains(RuntimeError, match="the part timers was cancelled")


async def test_a_part_that_is_cancelled_in_there_is_run_again(health: Health) -> None:
    stop, begun = asyncio.Event(), []

    async def once(stop: asyncio.Event) -> None:
        begun.append(1)
        await (stop.wait() if len(begun) > 1 else cancelled(stop))

    running = asyncio.create_task(run_all(stop, health, {"http": Part(), "job": once}))
    await until(lambda: len(begun) == 2)
    assert "cancelled" in health.reasons()["part job"]
    stop.set()
    await running


async def test_a_part_that_ends_by_itself_is_run_again_too(health: Health) -> None:
    stop, begun = asyncio.Event(), []

    async def short(_stop: asyncio.Event) -> None:
        begun.append(1)

    running = asyncio.create_task(run_all(stop, health, {"http": Part(), "job": short}))
    await until(lambda: len(begun) == 2)
    stop.set()
    await running


async def test_without_a_vital_part_the_process_ends_and_the_others_are_stopped_and_awaited(health: Health) -> None:
    stop, consumer = asyncio.Event(), Part()

    async def door(_stop: asyncio.Event) -> None:
        await until(lambda: consumer.begun == 1)
        raise OSError("the port is taken")

    with pytest.raises(BaseExceptionGroup) as caught:
        await run_all(stop, health, {"consumer": consumer, "http": door})

    assert caught.group_contains(OSError)
    assert consumer.ended


async def test_a_crash_while_stopping_is_no_clean_end(health: Health) -> None:
    stop, door = asyncio.Event(), Part()

    async def crashes(stop: asyncio.Event) -> None:
        await stop.wait()
        raise ZeroDivisionError

    running = asyncio.create_task(run_all(stop, health, {"consumer": crashes, "http": door}))
    await until(lambda: door.begun == 1)
    stop.set()
    with pytest.raises(BaseExceptionGroup):
        await running
