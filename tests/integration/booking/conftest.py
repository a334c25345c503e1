"""The door of a booking service of the test's own."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.booking.door import Door, opened
from tests.support.installation import Installation


@pytest.fixture
async def door(installation: Installation) -> AsyncIterator[Door]:
    """Give the API with the client `local` and the clinic EYE."""
    async with opened(installation) as found:
        yield found
