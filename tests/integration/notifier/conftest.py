"""A world for each test, its carriers in it."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from schemas.topics import APPOINTMENTS, NOTIFICATIONS, PATIENT_REPLIES, REMINDERS, Topic
from tests.support.carriers.programs import carriers
from tests.support.installation import Installation
from tests.support.notifier.running import World


@pytest.fixture(scope="session")
def used_topics() -> Sequence[Topic]:
    """Return the notifier's own: making and removing the others takes longer than many a test."""
    return APPOINTMENTS, REMINDERS, NOTIFICATIONS, PATIENT_REPLIES


@pytest.fixture
async def world(installation: Installation, tmp_path: Path) -> AsyncIterator[World]:
    """Give the world; everything that was started in it is stopped at the end."""
    async with carriers() as made, World.open(installation, made, tmp_path) as opened:
        yield opened
