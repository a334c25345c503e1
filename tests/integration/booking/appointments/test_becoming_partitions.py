"""A table of before becomes the first partition of one of its name, as it lies."""

import asyncio
from collections.abc import Sequence

import pytest

from booking.appointments.store import PostgresStore
from chassis.postgres import migrator
from chassis.postgres.database import Connection, create_pool
from chassis.process.errors import Unavailable
from tests.integration.booking.appointments.partitions import TABLES, connected
from tests.integration.booking.appointments.partitions import one as taken
from tests.support import databases
from tests.support.backends import PostgresServer
from tests.support.databases import ROLE_PASSWORD
from tests.support.waiting import until

pytestmark = pytest.mark.integration
BEFORE = "booking/0026"
"""The step with which partitions begin."""


async def test_a_table_of_before_becomes_the_first_partition_as_it_lies(postgres: PostgresServer) -> None:
    """Nothing is written anew and nothing read again while others wait; what was taken stays taken."""
    async with databases.fresh(postgres) as url, connected(url) as admin:
        service = _service_url(postgres, url)
        await _migrate_until(admin, service)
        await admin.execute(
            "INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings) "
            "SELECT 'local', 'k' || n, '', 'applied', uuidv7(), 1, '{}' FROM generate_series(1, 1000) AS n"
        )
        await admin.execute("INSERT INTO appointment_history SELECT appointment_id, version, key FROM ingress")
        lies = {table: await admin.fetchval("SELECT pg_relation_filenode($1::regclass)", table) for table in TABLES}

        done = await migrator.migrate(url, service, "booking", "booking")

        assert [name[8:] for name in done][:5] == [
            "0026_partitions_prepared.sql", "0027_ingress_by_period.sql", "0027_partitions_checked.sql",
            "0028_partitions.sql", "0029_partitions_kept.sql",
        ]  # fmt: skip
        for table, place in lies.items():
            first = f"{table}_before"
            assert await admin.fetchval("SELECT pg_relation_filenode($1::regclass)", first) == place
            assert await admin.fetchval(f"SELECT count(*) FROM {first}") == 1000  # noqa: S608  # of this file
        pool = await create_pool(service, "booking")
        async with pool.acquire() as connection, connection.transaction():
            store = PostgresStore(connection)
            assert len(await store.recorded_events([("local", f"k{number}") for number in range(1, 1001)])) == 1000
            await store.remember(taken("another"))
            with pytest.raises(Unavailable):
                await store.remember(taken("another"))
        pool.terminate()


async def test_a_table_is_taken_in_by_its_constraint_and_not_read(postgres: PostgresServer) -> None:
    async with databases.fresh(postgres) as url, connected(url) as admin:
        await _migrate_until(admin, _service_url(postgres, url))
        said: list[str] = []
        admin.add_log_listener(lambda _, message: said.append(str(message)))
        await admin.execute("SET client_min_messages = debug1")
        for step in _from(BEFORE):
            await admin.execute(step.sql)
        implied = [line for line in said if "implied by existing constraints" in line]
        assert {table for table in TABLES for line in implied if f'"{table}_before"' in line} == set(TABLES)


@pytest.mark.parametrize("begins", ["SELECT FROM ingress", "UPDATE patient SET version = version"])
async def test_a_writer_under_way_and_the_steps_do_not_wait_for_each_other(
    postgres: PostgresServer, begins: str
) -> None:
    """Whatever an event or a merge has come to, the steps lock what it still wants after what it has."""
    async with databases.fresh(postgres) as url, connected(url) as admin, connected(url) as writer:
        await _migrate_until(admin, _service_url(postgres, url), "booking/0025")
        steps = [step for step in migrator.steps("booking") if "booking/0025" <= step.name < "booking/0027"]

        async def waits() -> bool:
            return bool(await writer.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"))

        async with writer.transaction():
            await writer.execute(begins)
            applied = asyncio.create_task(_apply_all(admin, steps))
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


@pytest.mark.parametrize("package", ["booking", "records", "reminders", "notifier"])
async def test_whatever_step_was_the_last_the_service_may_use_its_tables_and_no_partition(
    postgres: PostgresServer, package: str
) -> None:
    """An instance runs on while the steps are applied, and they may end at any of them."""
    async with databases.fresh(postgres) as url, connected(url) as admin:
        await migrator._roles(admin, package, _service_url(postgres, url, package))
        await migrator._schema(admin, package)
        await admin.execute(f"SET search_path = {package}")
        for step in migrator.steps(package):
            await migrator.apply(await migrator.Run.begin(admin, package), step)
            assert await admin.fetch(_RIGHTS, package) == [], step.name


async def test_an_instance_that_runs_takes_keys_between_any_two_steps(postgres: PostgresServer) -> None:
    """It keeps and finds them as the release before does: it knows no quarters."""
    async with databases.fresh(postgres) as url, connected(url) as admin:
        service = _service_url(postgres, url)
        await _migrate_until(admin, service)
        async with connected(service) as running:
            for number, step in enumerate(_from(BEFORE)):
                await migrator.apply(await migrator.Run.begin(admin, "booking"), step)
                await running.execute(
                    "INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings) "
                    "VALUES ('local', $1, '', 'applied', uuidv7(), 1, '{}')",
                    step.name,
                )
                await running.execute("INSERT INTO appointment_history VALUES (uuidv7(), 1, '{}')")
                for table in TABLES:
                    assert await running.fetchval(f"SELECT count(*) FROM {table}") == number + 1, step.name  # noqa: S608


async def test_no_step_reads_a_table_while_it_keeps_others_from_one(postgres: PostgresServer) -> None:
    """Who needs a table that is locked waits for as long as the step reads."""
    async with databases.fresh(postgres) as url, connected(url) as admin:
        await _migrate_until(admin, _service_url(postgres, url), "booking/0025")
        await admin.execute(
            "INSERT INTO patient (patient_id, consent) SELECT uuidv7(), false FROM generate_series(1, 1000);"
            "INSERT INTO appointment (appointment_id, source, version, status, patient_id, event_time, ingest_time, "
            "confirmed, mode, schedule_gen) "
            "SELECT uuidv7(), 'local', 1, 'booked', patient_id, now(), now(), false, 'live', 1 FROM patient;"
            "INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings) "
            "SELECT 'local', 'k' || n, '', 'applied', uuidv7(), 1, '{}' FROM generate_series(1, 1000) AS n;"
            "INSERT INTO appointment_history SELECT appointment_id, version, key FROM ingress"
        )
        for step in _from("booking/0025"):
            if step.alone:
                await admin.execute(step.sql)
                continue
            await admin.execute("SELECT pg_stat_force_next_flush()")
            tables = await admin.fetchval("SELECT array_agg(oid) FROM pg_class WHERE relkind IN ('r', 'p')")
            async with admin.transaction():
                await admin.execute(step.sql)
                assert not (await _read(admin) and await _locked(admin, tables)), step.name


_RIGHTS = """
SELECT relname, wanted.privilege FROM pg_class, LATERAL (
    SELECT unnest(CASE WHEN relname = 'schema_migration' THEN '{SELECT}' ELSE '{SELECT,INSERT}'::text[] END)
) AS wanted (privilege)
WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p')
  AND has_table_privilege('attend_' || $1, oid, privilege) = relispartition
"""
"""Where the service lacks a right, and where it has one that goes round a partition's table."""


async def _read(admin: Connection) -> list[str]:
    """Return of which tables the transaction under way has read rows."""
    rows = await admin.fetch(
        "SELECT relname FROM pg_stat_xact_user_tables "
        "WHERE schemaname = 'booking' AND seq_tup_read + coalesce(idx_tup_fetch, 0) > 0"
    )
    return [row["relname"] for row in rows]


async def _locked(admin: Connection, tables: Sequence[int]) -> list[str]:
    """Return which of these nobody else can read until the transaction under way ends."""
    rows = await admin.fetch(
        "SELECT relation::regclass::text AS name FROM pg_locks "
        "WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND relation = ANY ($1)",
        tables,
    )
    return [row["name"] for row in rows]


def _from(name: str) -> list[migrator.Step]:
    """Return booking's steps from that one on."""
    return [step for step in migrator.steps("booking") if step.name.startswith("booking/") and step.name >= name]


def _service_url(postgres: PostgresServer, url: str, package: str = "booking") -> str:
    return postgres.url(url.rpartition("/")[2], f"attend_{package}", ROLE_PASSWORD)


async def _migrate_until(admin: Connection, service_url: str, before: str = BEFORE) -> None:
    """Apply the steps before that one."""
    await migrator._roles(admin, "booking", service_url)
    await migrator._schema(admin, "booking")
    await _apply_all(
        admin, [step for step in migrator.steps("booking") if step.name < before or "chassis" in step.name]
    )


async def _apply_all(admin: Connection, steps: Sequence[migrator.Step]) -> None:
    for step in steps:
        await migrator.apply(await migrator.Run.begin(admin, "booking"), step)
