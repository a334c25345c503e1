"""A broker for the fault tests of the timers alone: they pause it and kill it."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from stack.kafka import Kafka
from tests.chaos.timers.workers import TimerWorkers, opened


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Run a broker for one file of tests."""
    kafka = Kafka(tmp_path_factory.mktemp("kafka"))
    kafka.start()
    try:
        yield kafka
    finally:
        kafka.stop()


@pytest.fixture
async def timers(broker: Kafka, tmp_path: Path) -> AsyncIterator[TimerWorkers]:
    """Return topics of this test's own on that broker; workers, each with an interpreter of its own, end with it."""
    async with opened(broker, tmp_path) as timers:
        yield timers


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """Return how often the long runs repeat their fault."""
    return int(request.config.getoption("--rounds"))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return what prints a test's counts in one line, whatever the capturing."""

    def say(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {line}\n")

    return say
