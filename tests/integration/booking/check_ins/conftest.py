"""The door on the morning of the visits."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from chassis.process.clock import StillClock
from tests.support.booking.door import Door, opened
from tests.support.installation import Installation

MORNING = datetime(2027, 3, 12, 9, 50, tzinfo=UTC)


@pytest.fixture
async def door(base: Installation) -> AsyncIterator[Door]:
    """Give the API ten minutes before the first visit."""
    async with opened(base, StillClock(MORNING)) as found:
        yield found
