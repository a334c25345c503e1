"""A notifier for each test, and its carriers."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from schemas.topics import (
    APPOINTMENTS,
    CLEARANCES,
    NOTIFICATIONS,
    PATIENT_REPLIES,
    PATIENTS,
    PROVIDERS,
    REMINDERS,
    Topic,
)
from tests.support.carriers.programs import carriers
from tests.support.installation import Installation
from tests.support.notifier.running import RunningNotifier


@pytest.fixture(scope="session")
def used_topics() -> Sequence[Topic]:
    """Return the notifier's own: making and removing the others takes longer than many a test."""
    return APPOINTMENTS, REMINDERS, CLEARANCES, PATIENTS, PROVIDERS, NOTIFICATIONS, PATIENT_REPLIES


@pytest.fixture
async def notifier(installation: Installation, tmp_path: Path) -> AsyncIterator[RunningNotifier]:
    """Give the notifier; everything that was started with it is stopped at the end."""
    async with carriers() as made, RunningNotifier.open(installation, made, tmp_path) as opened:
        yield opened
