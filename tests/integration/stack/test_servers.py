"""Kafka and PostgreSQL of this environment: they come up, break and come back on the same folder."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import asyncpg
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from stack.kafka import Kafka
from stack.postgres import Postgres
from stack.process import ProcessId

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def broken_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Run a broker that tests may break, if they mend it."""
    kafka = Kafka(tmp_path_factory.mktemp("broken-kafka"))
    kafka.start()
    yield kafka
    kafka.stop()


@pytest.fixture(scope="module")
def broken_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """Run a server that tests may break, if they mend it."""
    postgres = Postgres(tmp_path_factory.mktemp("broken-postgres"))
    postgres.start()
    yield postgres
    postgres.stop()
    postgres.remove()


@asynccontextmanager
async def administrator(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    yield client
    await client.close()


async def execute(url: str, statement: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return str(await connection.fetchval(statement))
    finally:
        await connection.close()


def listening(identity: ProcessId | None) -> set[str]:
    """Return the addresses that the process and those below it listen on."""
    process = identity.find() if identity else None
    assert process is not None
    family = [process, *process.children(recursive=True)]
    found = [connection for one in family for connection in one.net_connections("inet")]
    return {connection.laddr.ip for connection in found if connection.status == psutil.CONN_LISTEN}


def wait_until_ready(postgres: Postgres) -> None:
    deadline = time.monotonic() + 60
    while not postgres.is_ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


async def test_kafka_has_its_topics_again_after_a_kill(broken_kafka: Kafka) -> None:
    async with administrator(broken_kafka) as admin:
        await admin.create_topics([NewTopic("kept", 3, 1)])

    broken_kafka.kill()
    assert not broken_kafka.running
    broken_kafka.start()

    async with administrator(broken_kafka) as admin:
        assert "kept" in await admin.list_topics()


async def test_postgres_has_its_rows_again_after_a_kill(broken_postgres: Postgres) -> None:
    await execute(broken_postgres.url("postgres"), "CREATE TABLE kept AS SELECT 42 AS answer")

    broken_postgres.kill()
    assert not broken_postgres.running
    broken_postgres.start()

    assert await execute(broken_postgres.url("postgres"), "SELECT answer FROM kept") == "42"


async def test_a_backend_that_outlives_its_server_is_never_beside_the_next_one(broken_postgres: Postgres) -> None:
    connection = await asyncpg.connect(broken_postgres.url("postgres"))
    backend = psutil.Process(connection.get_server_pid())
    server = backend.parent()
    assert server is not None
    counting = asyncio.create_task(connection.fetchval("SELECT count(*) FROM generate_series(1, 20000000)"))
    while backend.cpu_times().user < 0.05:  # noqa: ASYNC110  # until it counts: then it does not see its server go
        await asyncio.sleep(0.01)
    server.kill()
    while broken_postgres.running:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert backend.is_running()

    await asyncio.to_thread(broken_postgres.start)

    assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE
    assert await execute(broken_postgres.url("postgres"), "SELECT 1") == "1"
    await asyncio.gather(counting, return_exceptions=True)
    connection.terminate()


def test_a_frozen_server_gives_no_answer_until_it_is_resumed(broken_postgres: Postgres) -> None:
    broken_postgres.pause()
    assert broken_postgres.running
    assert not broken_postgres.is_ready()

    broken_postgres.resume()
    wait_until_ready(broken_postgres)


async def test_postgres_lets_nobody_in_without_the_password(broken_postgres: Postgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await execute(broken_postgres.url("postgres", password="guess"), "SELECT 1")


def test_servers_listen_on_loopback_alone(broken_kafka: Kafka, broken_postgres: Postgres) -> None:
    assert {ip.removeprefix("::ffff:") for ip in listening(broken_kafka.process)} == {"127.0.0.1"}
    assert listening(broken_postgres.process) == {"127.0.0.1"}
