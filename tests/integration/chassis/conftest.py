"""A world for each test: a topic and a migrated schema of its own."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import pytest

from chassis.kafka import topics
from chassis.postgres.database import create_pool
from chassis.postgres.migrator import migrate
from chassis.process import logs
from tests.integration.chassis.ledger.apply import ORDERS
from tests.integration.chassis.outbox.notes import NOTES
from tests.integration.chassis.world import SERVICE, World
from tests.support.backends import KafkaServer
from tests.support.databases import ROLE_PASSWORD
from tests.support.topics import delete_topics

PACKAGE = "tests.integration.chassis.ledger"


def service_url(admin_url: str) -> str:
    """Return the service's own address, with its least-rights role."""
    parts = urlsplit(admin_url)
    login = f"attend_{SERVICE}:{ROLE_PASSWORD}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


@asynccontextmanager
async def open_world(bootstrap: str, admin_url: str, prefix: str) -> AsyncIterator[World]:
    """Make topic and schema; remove the topic at the end."""
    url = service_url(admin_url)
    await migrate(admin_url, url, SERVICE, PACKAGE)
    await topics.apply(bootstrap, [ORDERS], prefix)
    pool = await create_pool(url, SERVICE, max_size=8)
    try:
        yield World(bootstrap, prefix, url, pool)
    finally:
        pool.terminate()
        await delete_topics(bootstrap, prefix + ORDERS.name)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Write logs as services do, to nowhere: structlog's own tracebacks take a second each."""
    root = logging.getLogger()
    kept, level = list(root.handlers), root.level
    logs.configure("ledger", "warning", stream=io.StringIO())
    yield
    root.handlers[:] = kept
    root.setLevel(level)


@pytest.fixture
async def world(kafka: KafkaServer, database_url: str, topic_prefix: str) -> AsyncIterator[World]:
    """Return a topic of two partitions, a schema, and a pool with the service's role."""
    async with open_world(kafka.bootstrap, database_url, topic_prefix) as opened:
        yield opened


@pytest.fixture
async def notes(world: World) -> AsyncIterator[World]:
    """Return a world that has the topic `notes` too."""
    await topics.apply(world.bootstrap, [NOTES], world.prefix)
    yield world
    await delete_topics(world.bootstrap, world.prefix + NOTES.name)
