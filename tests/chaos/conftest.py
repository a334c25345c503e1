"""A system of its own for each chaos test: what was killed in one must not matter to the next."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.process import clock
from stack.postgres import Postgres
from stack.supervisor import System
from tests.support import databases
from tests.support.backends import KafkaServer
from tests.support.installation import Installation

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """Return the file of the stepped clock."""
    file = tmp_path / "clock.json"
    clock.step(file, NOW)
    return file


@pytest.fixture
def system(tmp_path: Path, clock_file: Path) -> Iterator[System]:
    """Return a fresh system on free ports, with a stepped clock and real sinks."""
    with System(tmp_path / "system", ports="free", sinks=True, clock_file=clock_file) as system:
        yield system


@pytest.fixture
async def own_postgres(tmp_path: Path) -> AsyncIterator[Postgres]:
    """Run a server of this test's own, which it may stop, freeze and kill."""
    async with databases.own_server(tmp_path / "postgres") as server:
        yield server


@pytest.fixture
async def own_installation(
    own_postgres: Postgres, kafka: KafkaServer, topic_prefix: str
) -> AsyncIterator[Installation]:
    """Return an installation on that server, without processes."""
    with databases.migrated_template(own_postgres) as name:
        async with Installation.open(kafka.bootstrap, own_postgres.url(name), topic_prefix) as opened:
            yield opened
