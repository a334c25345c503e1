"""A running records service of a test's own, and a way to speak to it."""

import hashlib
from collections.abc import AsyncIterator

import pytest

from chassis.postgres.database import Pool
from tests.integration.records.running import KEY, Running
from tests.support.installation import Installation


@pytest.fixture
async def pool(installation: Installation) -> Pool:
    """Return connections with the rights of records."""
    return await installation.pool("records")


@pytest.fixture
async def records(installation: Installation) -> AsyncIterator[Running]:
    """Give a way to write to the topics and to start instances of the service; stops them all at the end."""
    async with Running.on(installation, hashlib.sha256(KEY.encode()).hexdigest()) as running:
        yield running
