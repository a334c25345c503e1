"""An installation in which processes of reminders run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from chassis.postgres.database import Pool, create_pool
from stack import services
from stack.spawn import Spawn
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.installation import Installation
from tests.support.plain_http import plain_client
from tests.support.reminders.builders import NOW
from tests.support.reminders.running import RunningReminders


@pytest.fixture
async def reminders(installation: Installation, tmp_path: Path, spawn: Spawn) -> AsyncIterator[RunningReminders]:
    """Give an installation at the instant `NOW`; ends every process at the end."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    async with plain_client(timeout=10) as http:
        reminders = RunningReminders(installation, tmp_path, producer, http, spawn)
        reminders.step(NOW)
        try:
            yield reminders
        finally:
            for process in reminders.processes:
                if process.lives:
                    process.kill()
            await producer.stop()


@pytest.fixture
async def pool(postgres: PostgresServer, migrated_template: str) -> AsyncIterator[Pool]:
    """Give the projector's connections to a database of this test's own."""
    async with databases.fresh(postgres, migrated_template) as admin_url:
        role = services.role_of("reminders")
        url = postgres.url(admin_url.rpartition("/")[2].partition("?")[0], role, databases.ROLE_PASSWORD)
        async with await create_pool(url, "reminders", max_size=6) as opened:
            yield opened
