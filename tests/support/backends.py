"""Where the real parts come from: existing servers, the embedded parts, or containers."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from stack.kafka import Kafka
from stack.postgres import Postgres


class KafkaServer(Protocol):
    """A broker for tests."""

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        ...


class PostgresServer(Protocol):
    """A database server for tests."""

    def url(self, database: str = "attend", user: str = "postgres", password: str | None = None) -> str:
        """Return an address; the administrator's when no user is named."""
        ...


@dataclass(frozen=True)
class ExistingKafka:
    """A broker that somebody else started."""

    bootstrap: str


@dataclass(frozen=True)
class ExistingPostgres:
    """A database server that somebody else started.

    Attributes:
        admin_url: An address with which databases and roles can be made.
    """

    admin_url: str

    def url(self, database: str = "attend", user: str = "postgres", password: str | None = None) -> str:
        """Return an address on the same server; the administrator's own login when the user is `postgres`."""
        parts = urlsplit(self.admin_url)
        login = parts.netloc.rpartition("@")[0]
        if user != "postgres":
            login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}", path=f"/{database}"))


@contextmanager
def kafka_server(backend: str, folder: Path) -> Iterator[KafkaServer]:
    """Run a broker while the block runs."""
    if bootstrap := os.environ.get("KAFKA_BOOTSTRAP_SERVERS"):
        yield ExistingKafka(bootstrap)
    elif backend == "containers":
        from tests.support.containers import kafka_container

        with kafka_container() as bootstrap:
            yield ExistingKafka(bootstrap)
    else:
        kafka = Kafka(folder)
        kafka.start()
        try:
            yield kafka
        finally:
            kafka.stop()


@contextmanager
def postgres_server(backend: str, folder: Path) -> Iterator[PostgresServer]:
    """Run a database server while the block runs."""
    if admin_url := os.environ.get("DATABASE_ADMIN_URL"):
        yield ExistingPostgres(admin_url)
    elif backend == "containers":
        from tests.support.containers import postgres_container

        with postgres_container() as url:
            yield ExistingPostgres(url)
    else:
        postgres = Postgres(folder)
        postgres.start()
        try:
            yield postgres
        finally:
            postgres.stop()
            postgres.remove()
