"""A database for each test, copied from a migrated one; or a server of its own."""

import asyncio
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path

import asyncpg

from stack import services
from stack.postgres import Postgres
from tests.support.backends import PostgresServer

ROLE_PASSWORD = "attend-test"  # noqa: S105
"""Roles belong to the server, not to a database: all tests on one server must agree on it."""


@asynccontextmanager
async def own_server(folder: Path) -> AsyncIterator[Postgres]:
    """Run a server that nobody else uses, to be stopped, frozen and killed; remove it at the end of the block."""
    server = Postgres(folder)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.remove)


@asynccontextmanager
async def fresh(postgres: PostgresServer, template: str = "template1") -> AsyncIterator[str]:
    """Make a database, give the administrator's address of it, drop it at the end of the block."""
    name = f"attend_{uuid.uuid4().hex[:12]}"
    await execute(postgres.url("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield postgres.url(name)
    finally:
        await execute(postgres.url("postgres"), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextmanager
def template(
    postgres: PostgresServer, prepare: Callable[[str], Coroutine[object, object, None]], of: str = "template1"
) -> Iterator[str]:
    """Copy a database, prepare the copy by its name, give that name to copy from; drop it at the end of the block."""
    name = f"attend_template_{uuid.uuid4().hex[:12]}"
    run(execute(postgres.url("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{of}"'))
    try:
        run(prepare(name))
        yield name
    finally:
        run(execute(postgres.url("postgres"), f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@contextmanager
def migrated_template(postgres: PostgresServer) -> Iterator[str]:
    """Make a database with the schemas of all services in it; drop it at the end of the block."""
    with template(postgres, partial(_migrate_all, postgres)) as name:
        yield name


def run[T](work: Coroutine[object, object, T]) -> T:
    """Run the coroutine in a thread of its own, so that the tests' event loops are not disturbed."""
    with ThreadPoolExecutor(1, thread_name_prefix=f"setup-{threading.get_ident()}") as executor:
        return executor.submit(asyncio.run, work).result()


async def execute(url: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _migrate_all(postgres: PostgresServer, database: str) -> None:
    from chassis.postgres.migrator import migrate

    for package in filter(services.has_migrations, services.PACKAGES):
        service_url = postgres.url(database, services.role_of(package), ROLE_PASSWORD)
        await migrate(postgres.url(database), service_url, package, package)
