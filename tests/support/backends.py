"""Where the real parts come from: existing servers, the embedded parts, or containers."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from stack.kafka import Kafka
from stack.postgres import Postgres

MEMORY = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
ROOM = 4 << 30
"""Bytes that must be free there: a part's two servers hold less than 1 GB, and three parts run side by side."""


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
def server_folder(otherwise: Path) -> Iterator[Path]:
    """Give a folder for a server that is made anew for each run: in memory where there is room, else the other.

    A test's database is 800 files and its topics are 500, all removed after it. A disk may pay dearly for that: an ext4
    without a journal looks for file numbers that were not freed a moment ago, and a copied database costs 0.6 s of
    computing there, 0.05 s in memory.
    """
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
        yield otherwise
        return
    with tempfile.TemporaryDirectory(prefix="attend-tests-", dir=MEMORY, ignore_cleanup_errors=True) as made:
        folder = Path(made)
        folder.chmod(0o711)  # started by root, PostgreSQL runs as another user
        yield folder / otherwise.name


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
        with server_folder(folder) as place:
            kafka = Kafka(place)
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
        with server_folder(folder) as place:
            postgres = Postgres(place)
            postgres.start()
            try:
                yield postgres
            finally:
                postgres.stop()
                postgres.remove()
