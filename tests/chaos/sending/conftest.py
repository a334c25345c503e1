"""A world for each test, its carriers in it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.notifier.world import World
from tests.support.carriers.programs import carriers
from tests.support.installation import Installation


@pytest.fixture
async def world(installation: Installation, tmp_path: Path) -> AsyncIterator[World]:
    """Give the world; everything that was started in it is stopped at the end."""
    async with carriers() as made, World.open(installation, made, tmp_path) as opened:
        yield opened
