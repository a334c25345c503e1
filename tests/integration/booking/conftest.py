"""The door of a booking service of the test's own."""

import io
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from chassis.postgres.database import Connection
from chassis.process import logs
from tests.integration.booking.appointments.partitions import connected
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.booking.door import Door, opened, opened_on_kafka
from tests.support.installation import Installation


@pytest.fixture
async def base(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Installation]:
    """Give a migrated database of this test's own, and no Kafka: the door takes bookings without."""
    async with databases.fresh(postgres, migrated_template) as admin_url:
        yield Installation("127.0.0.1:1", admin_url, "")


@pytest.fixture
async def door(base: Installation) -> AsyncIterator[Door]:
    """Give the API with the client `local` and the clinic EYE."""
    async with opened(base) as found:
        yield found


@pytest.fixture
async def served(installation: Installation) -> AsyncIterator[Door]:
    """Give the API of a whole service, with Kafka."""
    async with opened_on_kafka(installation) as found:
        yield found


@pytest.fixture
async def admin(base: Installation) -> AsyncIterator[Connection]:
    """Give an administrator's connection."""
    async with connected(base.admin_url) as connection:
        yield connection


@pytest.fixture
def written(door: Door) -> Iterator[io.StringIO]:  # the door first: what it enters for every test is not of interest
    """Give what the process logs, as JSON lines."""
    root, aiokafka = logging.getLogger(), logging.getLogger("aiokafka")
    kept, level = list(root.handlers), root.level
    stream = io.StringIO()
    logs.configure("booking", "info", stream=stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)
    aiokafka.setLevel(logging.NOTSET)
    logging.captureWarnings(capture=False)
