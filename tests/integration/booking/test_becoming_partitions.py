"""A table of before becomes the first partition of one of its name, as it lies."""

import asyncio

import pytest

from booking.adapters.store import PostgresStore
from chassis import migrate
from chassis.database import Connection, create_pool
from chassis.errors import Unavailable
from tests.integration.booking.door import until
from tests.integration.booking.partitions import TABLES, connected
from tests.integration.booking.partitions import one as taken
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.databases import ROLE_PASSWORD

pytestmark = pytest.mark.integration
BEFORE = "booking/0026"
"""The step with which partitions begin."""


async def test_a_table_of_before_becomes_the_first_partition_as_it_lies(postgres: PostgresServer) -> None:
    """Nothing is written anew and nothing read again while others wait; what was taken stays taken."""
    async with databases.fresh(postgres) as url, connected(url) as admin:
        service = postgres.url(url.rpartition("/")[2], "attend_booking", ROLE_PASSWORD)
        await _migrate_until(admin, service)
        await admin.execute(
            "INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings) "
            "SELECT 'local', 'k' || n, '', 'applied', uuidv7(), 1, '{}' FROM generate_series(1, 1000) AS n"
        )
        await admin.execute("INSERT INTO appointment_history SELECT appointment_id, version, key FROM ingress")
        lies = {table: await admin.fetchval("SELECT pg_relation_filenode($1::regclass)", table) for table in TABLES}

        done = await migrate.migrate(url, service, "booking", "booking")

        assert [name[:12] for name in done][:4] == ["booking/0026", "booking/0027", "booking/0028", "booking/0029"]
        for table, place in lies.items():
            first = f"{table}_before"
            assert await admin.fetchval("SELECT pg_relation_filenode($1::regclass)", first) == place
            assert await admin.fetchval(f"SELECT count(*) FROM {first}") == 1000  # noqa: S608  # of this file
        pool = await create_pool(service, "booking")
        async with pool.acquire() as connection, connection.transaction():
            store = PostgresStore(connection)
            assert len(await store.taken([("local", f"k{number}") for number in range(1, 1001)])) == 1000
            await store.remember(taken("another"))
            with pytest.raises(Unavailable):
                await store.remember(taken("another"))
        pool.terminate()


async def test_a_table_is_taken_in_by_its_constraint_and_not_read(postgres: PostgresServer) -> None:
    async with databases.fresh(postgres) as url, connected(url) as admin:
        await _migrate_until(admin, postgres.url(url.rpartition("/")[2], "attend_booking", ROLE_PASSWORD))
        said: list[str] = []
        admin.add_log_listener(lambda _, message: said.append(str(message)))
        await admin.execute("SET client_min_messages = debug1")
        for step in migrate.steps("booking"):
            if step.name[:12] in ("booking/0026", "booking/0027", "booking/0028"):
                await admin.execute(step.sql)
        implied = [line for line in said if "implied by existing constraints" in line]
        assert {table for table in TABLES for line in implied if f'"{table}_before"' in line} == set(TABLES)


@pytest.mark.parametrize("begins", ["SELECT FROM ingress", "UPDATE patient SET version = version"])
async def test_a_writer_under_way_and_the_steps_do_not_wait_for_each_other(
    postgres: PostgresServer, begins: str
) -> None:
    """Whatever an event or a merge has come to, the steps lock what it still wants after what it has."""
    async with databases.fresh(postgres) as url, connected(url) as admin, connected(url) as writer:
        service = postgres.url(url.rpartition("/")[2], "attend_booking", ROLE_PASSWORD)
        await _migrate_until(admin, service, "booking/0025")
        steps = [step for step in migrate.steps("booking") if "booking/0025" <= step.name < "booking/0027"]

        async def waits() -> bool:
            return bool(await writer.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

        async with writer.transaction():
            await writer.execute(begins)
            applied = asyncio.create_task(migrate._apply(admin, "booking", steps))
            await until(waits)
            await writer.execute("UPDATE patient SET version = version")
            await writer.execute(
                "INSERT INTO patient_merge (patient_id, merged_into, source, source_id, merged_at, merged_by)"
                " VALUES (uuidv7(), uuidv7(), 'local', 'double', now(), 'local')"
            )
            await writer.execute(
                "INSERT INTO appointment_history (appointment_id, version, snapshot) VALUES (uuidv7(), 1, '')"
            )
        await applied


async def _migrate_until(admin: Connection, service_url: str, step_name: str = BEFORE) -> None:
    """Apply the steps before this one: those before partitions began."""
    await migrate._roles(admin, "booking", service_url)
    await migrate._schema(admin, "booking")
    for group in migrate._groups(
        [step for step in migrate.steps("booking") if step.name < step_name or "chassis" in step.name]
    ):
        await migrate._apply(admin, "booking", group)
