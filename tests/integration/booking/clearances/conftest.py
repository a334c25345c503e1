"""The door a day before the visits, and the key of whoever clears them."""

from collections.abc import AsyncIterator

import pytest

from chassis.process.clock import StillClock
from tests.integration.booking.clearances.words import DESK, NOW
from tests.support.booking.door import Door, opened
from tests.support.installation import Installation


@pytest.fixture
async def door(base: Installation) -> AsyncIterator[Door]:
    """Give the API a day before the visits."""
    async with opened(base, StillClock(NOW)) as found:
        yield found


@pytest.fixture
async def key(door: Door) -> str:
    """Give the key of a client that may clear visits."""
    return await door.client(DESK)
