"""A world for each test, its carriers in it."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chaos.sending.table import Line, shown
from tests.support.carriers.programs import carriers
from tests.support.installation import Installation
from tests.support.notifier.running import World


@pytest.fixture
async def world(installation: Installation, tmp_path: Path) -> AsyncIterator[World]:
    """Give the world; everything that was started in it is stopped at the end."""
    async with carriers() as made, World.open(installation, made, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="session")
def faults(request: pytest.FixtureRequest) -> Iterator[list[Line]]:
    """Give the fault table, and print it whole when the last test is over."""
    lines: list[Line] = []
    yield lines
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        sys.stdout.write(f"\n{shown(lines)}\n")
