"""Stepping domain time: never before everyone is idle, never past a wake-up."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.process.clock import SteppedClock
from stack.demo.drive import Driver, NotIdle, rounded_up
from stack.demo.installation import SERVICES, Installation

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


class Processes:
    """Fake processes that wake at given instants, and are busy for `looks` looks after each step."""

    def __init__(self, clock_file: Path, wakes: list[datetime], looks: int = 0) -> None:
        self.clock = SteppedClock(clock_file)
        self.wakes = wakes
        self.looks = looks
        self.woken: list[datetime] = []
        self._epoch_seen: dict[str, tuple[int, int]] = {}

    async def clock_of(self, service: str) -> dict[str, Any]:
        epoch, looked = self._epoch_seen.get(service, (-1, 0))
        looked = looked + 1 if epoch == self.clock.epoch else 1
        self._epoch_seen[service] = self.clock.epoch, looked
        now = self.clock.now()
        for due in [wake for wake in self.wakes if wake <= now]:
            self.wakes.remove(due)
            self.woken.append(due)
        wake = min(self.wakes, default=None)
        idle = looked > self.looks
        return {"epoch": self.clock.epoch, "idle": idle, "next_wake_at": wake.isoformat() if wake else None}


class Mornings:
    """The projector is busy for some looks, then hands a clinic's day back, and the notifier is busy with it."""

    def __init__(self, clock_file: Path) -> None:
        self.clock = SteppedClock(clock_file)
        self.slots, self.days, self.done = 3, 0, False

    async def clock_of(self, service: str) -> dict[str, Any]:
        busy = False
        if service == "reminders-projector" and self.slots:
            self.slots, busy = self.slots - 1, True
            self.days = 0 if self.slots else 3
        elif service == "notifier" and self.days:
            self.days, busy = self.days - 1, True
            self.done = not self.days
        wake = (NOON + timedelta(hours=1)).isoformat() if service == "notifier" and self.done else None
        return {"epoch": self.clock.epoch, "idle": not busy, "next_wake_at": wake}


class FakeClient:
    def __init__(self, processes: Processes | Mornings) -> None:
        self.clock = processes.clock_of


def driver_of(tmp_path: Path, wakes: list[datetime], looks: int = 0, patience_s: float = 5) -> tuple[Driver, Processes]:
    file = tmp_path / "clock.json"
    installation = Installation({}, dict.fromkeys(SERVICES, ""), "", "", file)
    processes: Processes
    client: Any = FakeClient(processes := Processes(file, wakes, looks))
    driver = Driver(client, installation, patience_s)
    driver.step(NOON)
    return driver, processes


async def test_what_a_process_hands_back_is_waited_for_and_so_is_what_that_wakes(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    client: Any = FakeClient(mornings := Mornings(file))
    driver = Driver(client, Installation({}, dict.fromkeys(SERVICES, ""), "", "", file), 5)
    driver.step(NOON)

    wake = await driver.settle()

    assert mornings.done
    assert wake == NOON + timedelta(hours=1)


async def test_it_stops_at_every_wake_up_and_every_action_in_order(tmp_path: Path) -> None:
    wakes = [NOON + timedelta(hours=1), NOON + timedelta(hours=3, seconds=20)]
    driver, processes = driver_of(tmp_path, list(wakes))
    stops: list[datetime] = []
    done: list[str] = []

    def action(name: str) -> Callable[[], Awaitable[None]]:
        async def act() -> None:
            done.append(name)

        return act

    actions = {NOON + timedelta(hours=4): action("late"), NOON + timedelta(hours=2): action("early")}
    await driver.run_until(NOON + timedelta(hours=6), actions, stops.append)

    hours = [(stop - NOON) / timedelta(hours=1) for stop in stops]
    assert hours == pytest.approx([0, 1, 2, 3 + 1 / 60, 4])
    assert processes.woken == wakes
    assert done == ["early", "late"]
    assert driver.now == NOON + timedelta(hours=6)


async def test_it_waits_until_the_busy_are_idle_on_this_epoch(tmp_path: Path) -> None:
    driver, processes = driver_of(tmp_path, [], looks=3)
    await driver.settle()
    assert processes._epoch_seen["booking"][1] >= 4


async def test_it_names_the_process_that_does_not_come_to_rest(tmp_path: Path) -> None:
    driver, _ = driver_of(tmp_path, [], looks=10_000, patience_s=0.1)
    with pytest.raises(NotIdle, match="booking is busy on epoch"):
        await driver.settle()


def test_wake_ups_are_rounded_up_to_whole_minutes() -> None:
    assert rounded_up(NOON) == NOON
    assert rounded_up(NOON + timedelta(microseconds=1)) == NOON + timedelta(minutes=1)
    assert rounded_up(NOON + timedelta(minutes=2), timedelta(minutes=5)) == NOON + timedelta(minutes=5)
    assert rounded_up(NOON + timedelta(minutes=5), timedelta(minutes=5)) == NOON + timedelta(minutes=5)
