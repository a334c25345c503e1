"""A world in which processes of reminders run."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.reminders.world import World
from tests.support.installation import Installation
from tests.unit.reminders.builders import NOW


@pytest.fixture
async def world(installation: Installation, tmp_path: Path) -> AsyncIterator[World]:
    """Give an installation at the instant `NOW`; ends every process at the end."""
    producer = AIOKafkaProducer(bootstrap_servers=installation.bootstrap)
    await producer.start()
    async with httpx2.AsyncClient(timeout=10) as http:
        world = World(installation, tmp_path, producer, http)
        world.step(NOW)
        try:
            yield world
        finally:
            for process in world.processes:
                if process.popen.poll() is None:
                    process.kill()
            await producer.stop()
