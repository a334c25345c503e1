"""The fixtures that every test may use: real Kafka, real PostgreSQL, and whole installations on them.

`KAFKA_BOOTSTRAP_SERVERS` and `DATABASE_ADMIN_URL` make the tests use servers that run already;
`--backend=containers` starts the official images instead of the embedded parts.
"""

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from schemas import topics
from stack.spawn import Nursery, Spawn
from tests.support import databases
from tests.support.backends import KafkaServer, PostgresServer, kafka_server, postgres_server
from tests.support.installation import Installation
from tests.support.whole_system import running

__all__ = ["running"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of where the real parts come from."""
    parser.addoption(
        "--backend",
        choices=("embedded", "containers"),
        default="embedded",
        help="where Kafka and PostgreSQL come from: this environment's own parts, or containers (needs Docker)",
    )
    parser.addoption("--rounds", type=int, default=50, help="how often the long fault runs repeat their fault")


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest) -> str:
    """Return the chosen backend, `embedded` or `containers`."""
    return str(request.config.getoption("--backend"))


@pytest.fixture(scope="session")
def kafka(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """Run one broker for all tests; tests that break brokers start their own."""
    with kafka_server(backend, tmp_path_factory.mktemp("kafka")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres(backend: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """Run one server for all tests; each test gets a database of its own in it."""
    with postgres_server(backend, tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def spawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spawn]:
    """Return what starts Python processes quickly, as `attend up` does: a fork of one that has read the libraries."""
    nursery = Nursery(tmp_path_factory.mktemp("nursery") / "nursery.log")
    yield nursery.spawn
    nursery.close()


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer) -> Iterator[str]:
    """Migrate one database for all services; tests copy it, which takes a tenth of a second."""
    with databases.migrated_template(postgres) as name:
        yield name


@pytest.fixture
def topic_prefix() -> str:
    """Return a prefix for topics and groups that no other test uses."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
async def database_url(postgres: PostgresServer) -> AsyncIterator[str]:
    """Return the administrator's address of an empty database of this test's own."""
    async with databases.fresh(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def used_topics() -> Sequence[topics.Topic]:
    """Return the topics that an installation has: all. A folder of tests whose processes use a few says which."""
    return topics.ALL


@pytest.fixture
async def installation(
    kafka: KafkaServer,
    postgres: PostgresServer,
    migrated_template: str,
    topic_prefix: str,
    used_topics: Sequence[topics.Topic],
) -> AsyncIterator[Installation]:
    """Return an installation without processes: a migrated database and its topics, of this test's own."""
    async with (
        databases.fresh(postgres, migrated_template) as admin_url,
        Installation.open(kafka.bootstrap, admin_url, topic_prefix, used_topics) as opened,
    ):
        yield opened
