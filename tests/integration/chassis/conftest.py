"""A made-up service for each test: its topic and its migrated schema."""

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
from tests.integration.chassis.ledger.service import SERVICE, LedgerService
from tests.integration.chassis.outbox.notes import NOTES
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
async def open_ledger(bootstrap: str, admin_url: str, prefix: str) -> AsyncIterator[LedgerService]:
    """Make topic and schema; remove the topic at the end."""
    url = service_url(admin_url)
    await migrate(admin_url, url, SERVICE, PACKAGE)
    await topics.apply(bootstrap, [ORDERS], prefix)
    pool = await create_pool(url, SERVICE, max_size=8)
    try:
        yield LedgerService(bootstrap, prefix, url, pool)
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
async def ledger(kafka: KafkaServer, database_url: str, topic_prefix: str) -> AsyncIterator[LedgerService]:
    """Return a topic of two partitions, a schema, and a pool with the service's role."""
    async with open_ledger(kafka.bootstrap, database_url, topic_prefix) as opened:
        yield opened


@pytest.fixture
async def notes(ledger: LedgerService) -> AsyncIterator[LedgerService]:
    """Return a service that has the topic `notes` too."""
    await topics.apply(ledger.bootstrap, [NOTES], ledger.prefix)
    yield ledger
    await delete_topics(ledger.bootstrap, ledger.prefix + NOTES.name)
