"""One practice for each end-to-end test, in an installation whose services are real processes."""

from collections.abc import AsyncIterator

import pytest

from stack.demo.client import Client
from stack.demo.drive import Driver
from stack.demo.installation import Installation
from tests.support.practice import Practice, next_morning


@pytest.fixture
async def practice(running: Installation) -> AsyncIterator[Practice]:
    """Return clinics, providers and patients of this test's own, at the next ten in the morning."""
    async with Client(running) as client:
        driver = Driver(client, running)
        await next_morning(driver, running)
        yield await Practice.open(client, driver)
