"""A schema is brought up to date once, whoever runs it and however often; a service refuses another one."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from chassis import migrate
from chassis.database import create_pool
from chassis.errors import Misconfigured
from tests.integration.chassis.conftest import PACKAGE, service_url

SERVICE = "records"


async def test_a_plan_changes_nothing(database_url: str) -> None:
    planned = await migrate.plan(database_url, SERVICE, PACKAGE)

    assert planned[-1] == f"{PACKAGE}/0001_ledger.sql"
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT to_regnamespace($1)", SERVICE) is None
    await connection.close()


async def test_every_step_is_applied_once_in_order(database_url: str) -> None:
    planned = await migrate.plan(database_url, SERVICE, PACKAGE)

    assert await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE) == planned
    assert await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE) == []
    assert await migrate.plan(database_url, SERVICE, PACKAGE) == []


async def test_five_at_once_apply_every_step_once_between_them(database_url: str) -> None:
    runs = [migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE) for _ in range(5)]

    applied = await asyncio.gather(*runs)

    assert len([steps for steps in applied if steps]) == 1


async def test_services_migrate_at_once_though_their_roles_belong_to_the_whole_server(database_url: str) -> None:
    names = ("booking", "records", "reminders", "notifier")
    urls = {name: service_url(database_url).replace(f"attend_{SERVICE}", f"attend_{name}") for name in names}

    await asyncio.gather(*(migrate.migrate(database_url, urls[name], name, PACKAGE) for name in names))

    for name in names:
        assert await migrate.plan(database_url, name, PACKAGE) == []


async def test_the_service_may_use_its_own_tables_and_change_no_schema(database_url: str) -> None:
    await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    await pool.execute("INSERT INTO entity VALUES ('a', 1)")
    for refused in ("CREATE TABLE other (id int)", "DROP TABLE entity", "DELETE FROM schema_migration"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute(refused)
    await pool.close()


async def test_a_service_sees_nothing_of_another_service(database_url: str) -> None:
    await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    other = service_url(database_url).replace("attend_records", "attend_booking")
    await migrate.migrate(database_url, other, "booking", PACKAGE)
    pool = await create_pool(other, "booking")

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await pool.fetch("SELECT * FROM records.entity")
    await pool.close()


async def test_the_role_cannot_hold_a_lock_or_a_transaction_for_long(database_url: str) -> None:
    await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    found = [await pool.fetchval("SELECT current_setting($1)", name) for name in migrate._ROLE_TIMEOUTS]
    await pool.close()

    assert found == ["10s", "8s", "5s"]


async def test_a_service_starts_on_its_own_schema_only(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    pool = await create_pool(service_url(database_url), SERVICE)

    await migrate.check(pool, SERVICE, PACKAGE)
    await connection.execute("DELETE FROM records.schema_migration WHERE name LIKE '%ledger%'")
    with pytest.raises(Misconfigured, match=r"lacks migration .*0001_ledger.sql; run `attend migrate`"):
        await migrate.check(pool, SERVICE, PACKAGE)
    await pool.close()
    await connection.close()


async def test_a_database_ahead_of_the_program_stops_it(database_url: str) -> None:
    await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO records.schema_migration (name, sha256) VALUES ('later/0009.sql', 'x')")
    await connection.close()

    with pytest.raises(Misconfigured, match=r"later/0009.sql, which this program lacks"):
        await migrate.plan(database_url, SERVICE, PACKAGE)


async def test_a_step_changed_after_it_was_applied_stops_it(database_url: str) -> None:
    await migrate.migrate(database_url, service_url(database_url), SERVICE, PACKAGE)
    connection = await asyncpg.connect(database_url)
    await connection.execute("UPDATE records.schema_migration SET sha256 = 'x' WHERE name LIKE '%ledger%'")
    await connection.close()

    with pytest.raises(Misconfigured, match="differs from the one applied"):
        await migrate.plan(database_url, SERVICE, PACKAGE)


def test_the_steps_travel_with_the_package() -> None:
    *core, own = [step.name for step in migrate.steps(PACKAGE)]

    assert core[0] == "chassis/0001_delivery.sql"
    assert core == sorted(core)
    assert own == f"{PACKAGE}/0001_ledger.sql"
    assert Path(migrate.__file__).parent.joinpath("migrations").is_dir()
