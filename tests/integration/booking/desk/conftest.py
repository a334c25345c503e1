"""The door a day before the visits."""

from collections.abc import AsyncIterator

import pytest

from chassis.process.clock import StillClock
from tests.integration.booking.appointments.test_two_writers import SOON
from tests.support.booking.door import Door, opened
from tests.support.installation import Installation


@pytest.fixture
async def door(base: Installation) -> AsyncIterator[Door]:
    """Give the API a day before the visits."""
    async with opened(base, StillClock(SOON)) as found:
        yield found
