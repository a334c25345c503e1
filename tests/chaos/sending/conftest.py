"""A notifier for each test, and its carriers."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.sending.table import Line, shown
from tests.support.carriers.programs import carriers
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier


@pytest.fixture
async def notifier(installation: Installation, tmp_path: Path) -> AsyncIterator[RunningNotifier]:
    """Give the notifier; everything that was started with it is stopped at the end."""
    async with carriers() as made, RunningNotifier.open(installation, made, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def faults(request: pytest.FixtureRequest) -> Iterator[list[Line]]:
    """Give the fault table, and print it whole when the last test is over."""
    lines: list[Line] = []
    yield lines
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write(f"\n{shown(lines)}\n")
