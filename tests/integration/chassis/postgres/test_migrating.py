"""A schema is brought up to date once, whoever runs it and however often; a service refuses another one."""

import asyncio
from importlib.resources import files
from urllib.parse import urlsplit

import asyncpg
import pytest

from chassis.postgres import migrator
from chassis.postgres.database import Connection, Pool, create_pool
from chassis.process.errors import Misconfigured, Unavailable
from tests.integration.chassis.conftest import PACKAGE, service_url
from tests.support.databases import ROLE_PASSWORD
from tests.support.waiting import until

SERVICE = "records"
BUILDING = "tests.integration.chassis.postgres.building"
"""A package with a step outside a transaction."""
CUT_OFF = "tests.integration.chassis.postgres.cut_off"
"""A package whose second step fails."""


async def test_a_plan_changes_nothing(database_url: str) -> None:
    planned = await migrator.plan(database_url, SERVICE, PACKAGE)

    assert planned[-1] == f"{PACKAGE}/0001_ledger.sql"
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT to_regnamespace($1)", SERVICE) is None
    await connection.close()


async def test_every_step_is_applied_once_in_order(database_url: str) -> None:
    planned = await migrator.plan(database_url, SERVICE, PACKAGE)

    assert await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE) == planned
    assert await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE) == []
    assert await migrator.plan(database_url, SERVICE, PACKAGE) == []


async def test_five_at_once_apply_every_step_once_between_them(database_url: str) -> None:
    runs = [migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE) for _ in range(5)]

    applied = await asyncio.gather(*runs)

    assert len([steps for steps in applied if steps]) == 1


async def test_services_migrate_at_once_though_their_roles_belong_to_the_whole_server(database_url: str) -> None:
    names = ("booking", "records", "reminders", "notifier")
    urls = {name: service_url(database_url).replace(f"attend_{SERVICE}", f"attend_{name}") for name in names}

    await asyncio.gather(*(migrator.migrate(database_url, urls[name], name, PACKAGE) for name in names))

    for name in names:
        assert await migrator.plan(database_url, name, PACKAGE) == []


async def test_the_service_may_use_its_own_tables_and_change_no_schema(database_url: str) -> None:
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    await pool.execute("INSERT INTO entity VALUES ('a', 1)")
    for refused in ("CREATE TABLE other (id int)", "DROP TABLE entity", "DELETE FROM schema_migration"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(refused)
    await pool.close()


async def test_a_service_sees_nothing_of_another_service(database_url: str) -> None:
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    other = service_url(database_url).replace("attend_records", "attend_booking")
    await migrator.migrate(database_url, other, "booking", PACKAGE)
    pool = await create_pool(other, "booking")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.fetch("SELECT * FROM records.entity")
    await pool.close()


async def test_the_role_cannot_hold_a_lock_or_a_transaction_for_long(database_url: str) -> None:
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    found = [await pool.fetchval("SELECT current_setting($1)", name) for name in migrator._ROLE_TIMEOUTS]
    await pool.close()

    assert found == ["10s", "8s", "5s"]


async def test_a_service_starts_on_its_own_schema_only(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    await migrator.check(pool, SERVICE, PACKAGE)
    await connection.execute("DELETE FROM records.schema_migration WHERE name LIKE '%ledger%'")
    with pytest.raises(Misconfigured, match=r"lacks migration .*0001_ledger.sql; run `attend migrate`"):
        await migrator.check(pool, SERVICE, PACKAGE)
    await pool.close()
    await connection.close()


async def test_a_database_ahead_of_the_program_is_no_fault(database_url: str) -> None:
    """A release that is replaced goes on, and starts again, beside the one that replaces it."""
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO records.schema_migration (name, sha256) VALUES ('later/0009.sql', 'x')")
    await connection.close()
    pool = await create_pool(service_url(database_url), SERVICE)

    assert await migrator.plan(database_url, SERVICE, PACKAGE) == []
    await migrator.check(pool, SERVICE, PACKAGE)
    await pool.close()


async def test_a_step_changed_after_it_was_applied_stops_it(database_url: str) -> None:
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE records.schema_migration SET sha256 = 'x' WHERE name LIKE '%ledger%'")
    await connection.close()

    with pytest.raises(Misconfigured, match="differs from the one applied"):
        await migrator.plan(database_url, SERVICE, PACKAGE)


def test_the_steps_travel_with_the_package() -> None:
    *core, own = [step.name for step in migrator.steps(PACKAGE)]

    assert core[0] == "chassis/0001_delivery.sql"
    assert core == sorted(core)
    assert own == f"{PACKAGE}/0001_ledger.sql"
    assert files("chassis").joinpath("migrations", "0001_delivery.sql").is_file()


async def test_a_step_outside_a_transaction_builds_its_index_and_those_after_it_follow(database_url: str) -> None:
    applied = await migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING)

    assert [name.rpartition("/")[2] for name in applied][-3:] == ["0001_table.sql", "0002_index.sql", "0003_column.sql"]
    assert await _index(database_url) is True
    assert await migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING) == []


async def test_an_index_that_was_half_built_is_built_anew_by_the_next_run(database_url: str) -> None:
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE records.thing (name text)")
    await connection.execute("INSERT INTO records.thing VALUES ('twice'), ('twice')")
    await connection.execute(
        "INSERT INTO records.schema_migration SELECT $1, $2", *_applied(BUILDING, "0001_table.sql")
    )

    with pytest.raises(asyncpg.UniqueViolationError):
        await migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING)
    assert await _index(database_url) is False
    assert len(await migrator.plan(database_url, SERVICE, BUILDING)) == 2

    await connection.execute("DELETE FROM records.thing")
    assert len(await migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING)) == 2
    assert await _index(database_url) is True
    await connection.close()


async def test_one_killed_while_it_builds_an_index_leaves_nothing_that_stops_the_next(database_url: str) -> None:
    """The build waits for a transaction that is open; its connection is cut meanwhile."""
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE records.thing (name text)")
    await connection.execute(
        "INSERT INTO records.schema_migration SELECT $1, $2", *_applied(BUILDING, "0001_table.sql")
    )
    holder = await asyncpg.connect(database_url)
    held = holder.transaction()
    await held.start()
    await holder.execute("INSERT INTO records.thing VALUES ('open')")

    running = asyncio.create_task(migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING))
    await until(lambda: _building(connection))
    await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%CONCURRENTLY%' "
                             "AND pid <> pg_backend_pid()")  # fmt: skip
    with pytest.raises(Unavailable):
        await running
    await held.rollback()

    assert len(await migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING)) == 2
    assert await _index(database_url) is True
    await holder.close()
    await connection.close()


async def test_several_at_once_with_a_step_outside_a_transaction_wait_for_each_other(database_url: str) -> None:
    """Who waits for the lock inside a statement would be waited for by the build."""
    url = service_url(database_url)
    async with asyncio.timeout(60):
        applied = await asyncio.gather(*(migrator.migrate(database_url, url, SERVICE, BUILDING) for _ in range(4)))

    assert len([steps for steps in applied if steps]) == 1


async def test_a_table_may_be_used_though_a_later_step_failed(database_url: str) -> None:
    """Its rights come with it: an instance that runs meanwhile, or when the migration was cut off, is not refused."""
    with pytest.raises(asyncpg.UndefinedColumnError):
        await migrator.migrate(database_url, service_url(database_url), SERVICE, CUT_OFF)

    pool = await create_pool(service_url(database_url), SERVICE)
    await pool.execute("INSERT INTO thing VALUES ('kept')")
    await pool.close()


async def test_a_step_that_must_wait_lets_those_behind_it_through_and_is_tried_again(database_url: str) -> None:
    """Who reads for long, as a dump does, holds up the migration and not every booking."""
    reader, pool = await asyncpg.connect(database_url), await _without_the_column(database_url)
    reading = reader.transaction()
    await reading.start()
    await reader.fetch("SELECT name FROM records.thing")
    migrating = asyncio.create_task(
        migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING, lock_again_s=0.5)
    )
    for name in ("behind the first try", "behind another"):
        await until(lambda: _waits(reader))
        async with asyncio.timeout(5):  # the role's own bound
            await pool.execute("INSERT INTO thing VALUES ($1)", name)
    await reading.rollback()

    assert [name.rpartition("/")[2] for name in await migrating] == ["0003_column.sql"]
    assert await pool.fetchval("SELECT count(*) FROM thing WHERE more IS NULL") == 2
    await reader.close()
    await pool.close()


async def test_a_step_that_never_gets_its_locks_says_so_and_leaves_all_as_it_was(database_url: str) -> None:
    reader, pool = await asyncpg.connect(database_url), await _without_the_column(database_url)
    async with reader.transaction():
        await reader.fetch("SELECT name FROM records.thing")
        with pytest.raises(Unavailable, match=r"0003_column.sql did not get its locks in 2 tries; end the transaction"):
            await migrator.migrate(
                database_url, service_url(database_url), SERVICE, BUILDING, lock_tries=2, lock_again_s=0
            )

    assert len(await migrator.plan(database_url, SERVICE, BUILDING)) == 1
    assert len(await migrator.migrate(database_url, service_url(database_url), SERVICE, BUILDING)) == 1
    await reader.close()
    await pool.close()


async def test_a_table_with_the_trigger_is_append_only_by_grant_as_well(database_url: str) -> None:
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "CREATE TABLE records.told (n int, hash text); CREATE TABLE records.kept (n int, hash text);"
        "CREATE FUNCTION records.refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RAISE EXCEPTION ''append only''; END';"
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON records.told EXECUTE FUNCTION records.refuse();"
        "CREATE TRIGGER append_only_but_hash BEFORE UPDATE OF n OR DELETE ON records.kept "
        "EXECUTE FUNCTION records.refuse()"
    )
    await connection.close()
    await migrator.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    await pool.execute("INSERT INTO told VALUES (1); INSERT INTO kept VALUES (1); UPDATE kept SET hash = 'x'")
    for refused in ("UPDATE told SET n = 2", "UPDATE told SET hash = 'x'", "DELETE FROM told", "TRUNCATE told",
                    "DELETE FROM kept", "TRUNCATE kept"):  # fmt: skip
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(refused)
    with pytest.raises(asyncpg.RaiseError):
        await pool.execute("UPDATE kept SET n = 2")
    await pool.close()


async def test_a_password_is_nowhere_in_what_the_server_is_told(database_url: str) -> None:
    """`ALTER ROLE` stands in the server's log and in pg_stat_activity; every other test signs in by the verifier."""
    parts = urlsplit(service_url(database_url))
    role = "attend_records"
    admin = await asyncpg.connect(database_url)
    said: list[str] = []
    listening = await asyncpg.connect(database_url)
    listening.add_query_logger(lambda query: said.append(query.query))
    await migrator._roles(listening, SERVICE, parts.geturl())
    await listening.close()

    altered = [query for query in said if "PASSWORD" in query]
    assert altered
    assert not any(ROLE_PASSWORD in query for query in said)
    assert role in altered[0]
    stored = await admin.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = $1", role)
    assert stored in altered[0]
    await admin.close()


async def _without_the_column(database_url: str) -> Pool:
    """Apply all steps but the last, which locks a table; return the service's connections."""
    url = service_url(database_url)
    await migrator.migrate(database_url, url, SERVICE, BUILDING)
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "ALTER TABLE records.thing DROP COLUMN more; DELETE FROM records.schema_migration WHERE name LIKE '%column%'"
    )
    await connection.close()
    return await create_pool(url, SERVICE)


async def _waits(connection: Connection) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation "
                                          "= 'records.thing'::regclass)"))  # fmt: skip


def _applied(package: str, name: str) -> tuple[str, str]:
    return next((step.name, step.sha256) for step in migrator.steps(package) if step.name.endswith(name))


async def _index(database_url: str) -> bool | None:
    """Whether the index is whole; None: it is not there."""
    connection = await asyncpg.connect(database_url)
    try:
        found: bool | None = await connection.fetchval(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('records.thing_name')"
        )
        return found
    finally:
        await connection.close()


async def _building(connection: Connection) -> bool:
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('records.thing_name'))"
        )
    )
