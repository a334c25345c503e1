"""Real Kafka and real PostgreSQL for the benchmark, and installations on them."""

import asyncio
import os
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from chassis.kafka import topics as broker_topics
from chassis.postgres.migrator import migrate
from schemas import topics
from stack.kafka import Kafka
from stack.postgres import Postgres

PASSWORD = "bench"  # noqa: S105 - of roles on a server that lives as long as the run


@dataclass(frozen=True, slots=True)
class Servers:
    """Addresses of a broker and, for the administrator, of a database server."""

    bootstrap: str
    admin_url: str


@dataclass(frozen=True, slots=True)
class Place:
    """One empty installation: a migrated database and its topics."""

    bootstrap: str
    admin_url: str
    prefix: str

    def url(self, service: str) -> str:
        """Return the database's address with the service's own role."""
        parts = urlsplit(self.admin_url)
        server = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"attend_{service}:{PASSWORD}@{server}"))

    def topic(self, topic: topics.Topic) -> str:
        """Return the topic's name here."""
        return self.prefix + topic.name


@contextmanager
def servers() -> Iterator[Servers]:
    """Start a broker and a database server for the block; use given ones instead if the environment names them.

    The database keeps the time of each commit: latencies are read from it.
    """
    bootstrap, admin_url = os.environ.get("KAFKA_BOOTSTRAP_SERVERS"), os.environ.get("DATABASE_ADMIN_URL")
    if bootstrap and admin_url:
        yield Servers(bootstrap, admin_url)
        return
    with tempfile.TemporaryDirectory(prefix="attend-bench-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - the server's unprivileged user must get through
        kafka, postgres = Kafka(Path(folder) / "kafka"), Postgres(Path(folder) / "postgres")
        try:
            kafka.start()
            postgres.start()
            asyncio.run(_execute(postgres.url("postgres"), "ALTER SYSTEM SET track_commit_timestamp = on"))
            postgres.stop()
            postgres.start()
            yield Servers(kafka.bootstrap, postgres.url("postgres"))
        finally:
            postgres.stop()
            kafka.stop()
            postgres.remove()


@asynccontextmanager
async def database(servers: Servers) -> AsyncIterator[str]:
    """Give the administrator's address of an empty database."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    await _execute(servers.admin_url, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(servers.admin_url)._replace(path=f"/{name}"))
    finally:
        await _execute(servers.admin_url, f"DROP DATABASE {name} WITH (FORCE)")


@asynccontextmanager
async def place(servers: Servers, *services: str, prefix: str | None = None) -> AsyncIterator[Place]:
    """Give an installation with the schemas of these services; the topics of a prefix given are used again."""
    async with database(servers) as admin_url:
        made = Place(servers.bootstrap, admin_url, prefix or f"b{uuid.uuid4().hex[:6]}.")
        for service in services:
            await migrate(admin_url, made.url(service), service, service)
        await broker_topics.apply(servers.bootstrap, topics.ALL, made.prefix)
        yield made


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
