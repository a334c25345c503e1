"""What must be there before services start: database, schemas, roles, topics, and the local API client."""

import asyncio
import json
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from chassis.kafka import topics
from chassis.postgres import migrator
from chassis.process.errors import Misconfigured, Unavailable
from schemas import topics as declared
from stack import services
from stack.layout import python

CLIENT_TIMEOUT_S = 120


def in_order(admin_url: str, database_url: Callable[[str], str], migrated: Callable[[str], None]) -> None:
    """Make the database if it is missing and bring every service's schema up to date; repeats change nothing."""

    async def work() -> None:
        await make_database(admin_url)
        for package in filter(services.has_migrations, services.PACKAGES):
            migrated(package)
            await migrator.migrate(admin_url, database_url(package), package, package)

    _run(work, "the database")


def make_topics(bootstrap: str, prefix: str) -> list[str]:
    """Make the missing topics and mend the settings of the others; return what was done, in words."""

    async def work() -> list[str]:
        return [str(difference) for difference in await topics.apply(bootstrap, declared_here(os.environ), prefix)]

    return _run(work, "Kafka")


_INBOUND = {
    "BOOKING_INBOUND_CLIENTS": declared.BOOKINGS_INBOUND,
    "BOOKING_CLEARANCE_CLIENTS": declared.CLEARANCES_INBOUND,
}
"""Whose the inbound topics are: the variable of each kind, and its first topic."""


def declared_here(environ: Mapping[str, str]) -> tuple[declared.Topic, ...]:
    """Return every declared topic, and the further inbound topics that these variables bind to clients."""
    found = list(declared.ALL)
    for variable, first in _INBOUND.items():
        try:
            bound = dict(json.loads(environ.get(variable) or "{}"))
            found += [topic for topic in (declared.inbound(name, first) for name in bound) if topic not in found]
        except (ValueError, TypeError) as error:
            raise Misconfigured(f"{variable}: {error}") from None
    return tuple(found)


async def make_database(admin_url: str) -> None:
    """Create the database that the address names, unless it is there."""
    parts = urlsplit(admin_url)
    name = parts.path.lstrip("/")
    connection = await asyncpg.connect(urlunsplit(parts._replace(path="/postgres")))
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            quoted = name.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{quoted}"')
    finally:
        await connection.close()


def make_local_client(env: Mapping[str, str], key: str, marker: Path) -> None:
    """Tell booking of the client `local` with the installation's key; once done, the marker saves its second."""
    command = python("-m", "booking", "clients", "create", "local", "--source", "local")
    command += ["--may-register", "--may-manage-clinics", "--may-clear", "--may-override-clearance", "--key-stdin"]
    done_for = sha256(f"{key} {env['BOOKING_DATABASE_URL']} {command}".encode()).hexdigest()
    if marker.exists() and marker.read_text("utf-8") == done_for:
        return
    done = subprocess.run(  # noqa: S603  # our own command
        command, input=key + "\n", env=dict(env), capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise Misconfigured(f"the client `local` cannot be made: {(done.stderr or done.stdout).strip()[-800:]}")
    marker.write_text(done_for, "utf-8")


def _run[T](work: Callable[[], Awaitable[T]], what: str) -> T:
    async def awaited() -> T:
        return await work()

    try:
        return asyncio.run(awaited())
    except (OSError, asyncpg.PostgresError, Unavailable) as error:
        raise Misconfigured(f"{what} cannot be prepared: {error}") from error
