"""Keys and history lie in partitions of a quarter: made ahead, dropped whole, reached through their table alone."""

import asyncio
import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import pytest

from booking.retention import AHEAD, jobs
from chassis.postgres import migrator
from chassis.postgres.bounded_count import Count
from chassis.postgres.database import Connection, create_pool
from chassis.postgres.retention import Retention, overdue, remove
from chassis.process.clock import RealClock
from chassis.process.errors import Unavailable
from tests.integration.booking.appointments.partitions import (
    QUARTER,
    TABLES,
    YEAR,
    bounds,
    connected,
    in_quarters,
    names,
    quarter,
    take,
)
from tests.integration.booking.test_log_lines import lines
from tests.support.booking.door import Door, settings_on
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.integration
DROPPED = "quarters of ingress keys"


async def past_quarters(connection: Connection, count: int) -> None:
    """Give an empty table of keys partitions for so many quarters that are over."""
    await connection.execute("DROP TABLE ingress_before")
    for number in range(count + 1):
        begins = await quarter(connection, -number)
        lower = "MINVALUE" if number == count else f"'{begins}'"
        await connection.execute(
            f"CREATE TABLE ingress_{begins:%Y_%m} PARTITION OF ingress FOR VALUES FROM ({lower}) "
            f"TO ('{await quarter(connection, 1 - number)}')"
        )


async def test_each_table_has_partitions_without_a_gap_and_two_quarters_ahead(admin: Connection) -> None:
    for table in TABLES:
        found = await bounds(admin, table)
        assert found[0][0] is None
        assert found[-1][1] is None
        assert all(before[1] == after[0] for before, after in pairwise(found))
        assert found[-1][0] == await quarter(admin, 2)


async def test_partitions_are_made_as_time_goes_on_and_once(admin: Connection) -> None:
    before = {table: await names(admin, table) for table in TABLES}

    await in_quarters(admin, 4)

    assert await admin.fetch("SELECT 1 FROM extend_partitions(now() + interval '1 year')") == []
    assert await admin.fetch("SELECT 1 FROM extend_partitions(now())") == []
    for table in TABLES:
        assert len(await names(admin, table)) == len(before[table]) + 4
        assert [begins for begins, _ in await bounds(admin, table)][-3:] == [await quarter(admin, n) for n in (4, 5, 6)]


async def test_many_at_once_make_each_partition_once(base: Installation, admin: Connection) -> None:
    async def extend() -> list[Any]:
        async with connected(base.admin_url) as own:
            return await own.fetch("SELECT partition FROM extend_partitions(now() + interval '9 months')")

    await admin.execute("SELECT FROM extend_partitions(now() + interval '6 months')")
    made = await asyncio.gather(*(extend() for _ in range(5)))

    assert sorted(len(rows) for rows in made) == [0, 0, 0, 0, 2]


async def test_nothing_is_refused_however_long_no_partition_was_made(admin: Connection) -> None:
    """Then the last one holds years, and becomes a partition of years."""
    for year in (2, 3, 4):
        await take(admin, f"in {year} years", year * YEAR)
        await admin.execute(
            "INSERT INTO appointment_history VALUES (first_id_of((now() + $1::interval)::date), 1, '{}')",
            year * YEAR,
        )

    made = await admin.fetch("SELECT partition, why_not FROM extend_partitions(now() + interval '4 years')")

    assert {row["why_not"] for row in made} == {None}
    for table in TABLES:
        found = await bounds(admin, table)
        assert found[-1][0] == await quarter(admin, 16 + 2)
        assert all(before[1] == after[0] for before, after in pairwise(found))
        assert await admin.fetchval(f"SELECT count(*) FROM {table}") == 3  # noqa: S608  # of this file
        assert await admin.fetchval(f"SELECT count(*) FROM {(await names(admin, table))[-1]}") == 0  # noqa: S608


async def test_rows_of_a_clock_that_was_far_ahead_stop_nothing_and_are_told(admin: Connection) -> None:
    await take(admin, "of a clock gone wrong", 50 * YEAR)
    before = await names(admin, "ingress")

    made = await admin.fetch("SELECT partition, why_not FROM extend_partitions(now() + interval '3 months')")

    assert [(row["partition"], row["why_not"]) for row in made if row["partition"].startswith("ingress")] == [
        (before[-1], "rows beyond the next quarter")
    ]
    assert await names(admin, "ingress") == before
    assert [row["partition"].rpartition("_20")[0] for row in made if row["why_not"] is None] == ["appointment_history"]
    await take(admin, "as ever")
    await take(admin, "in a year", YEAR)


async def test_a_last_partition_that_holds_much_is_not_read_while_everybody_waits(admin: Connection) -> None:
    """It stays the last one until a check, validated beside the traffic, says what it holds."""
    last = {table: (await names(admin, table))[-1] for table in TABLES}
    begins, ends = await quarter(admin, 2), await quarter(admin, 4)
    await admin.execute(_MUCH)
    later = "SELECT partition, why_not FROM extend_partitions(now() + interval '9 months')"

    refused = await admin.fetch(later)

    assert {row["partition"]: row["why_not"].partition(";")[0] for row in refused} == dict.fromkeys(
        last.values(), "too many rows to read while others wait"
    )
    said: list[str] = []
    admin.add_log_listener(lambda _, message: said.append(str(message)))
    checked = {
        "ingress": f"period >= '{begins}' AND period < '{ends}'",
        "appointment_history": f"appointment_id >= booking.first_id_of('{begins}') "
        f"AND appointment_id < booking.first_id_of('{ends}')",
    }
    for table, name in last.items():
        await admin.execute(f"ALTER TABLE {name} ADD CONSTRAINT ends CHECK ({checked[table]}) NOT VALID")
    assert [row["why_not"] is None for row in await admin.fetch(later)] == [False, False]
    for name in last.values():
        await admin.execute(f"ALTER TABLE {name} VALIDATE CONSTRAINT ends")
    await admin.execute("SET client_min_messages = debug1")

    assert {row["why_not"] for row in await admin.fetch(later)} == {None}

    for table, name in last.items():
        assert any(f'"{name}" is implied by existing constraints' in line for line in said)
        assert (await bounds(admin, table))[-1][0] > begins
    assert await admin.fetchval("SELECT count(*) FROM pg_constraint WHERE conname = 'ends'") == 0


async def test_a_last_partition_of_less_than_sixteen_mb_is_read_and_closed(admin: Connection) -> None:
    """It takes 57 ms, and no administrator is needed for it."""
    last = {table: (await names(admin, table))[-1] for table in TABLES}
    await admin.execute(_MUCH.replace("180000", "75000"))
    for name in last.values():
        assert 5 << 20 < await admin.fetchval("SELECT pg_relation_size($1::text::regclass)", name) < 16 << 20

    made = await admin.fetch("SELECT partition, why_not FROM extend_partitions(now() + interval '9 months')")

    assert {row["why_not"] for row in made} == {None}


_MUCH = """
INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings, period)
SELECT 'local', n::text, decode(repeat('00', 32), 'hex'), 'applied', gen_random_uuid(), 1, '{}',
       quarter_of(now() + interval '6 months') FROM generate_series(1, 180000) AS n;
INSERT INTO appointment_history
SELECT overlay(first_id_of((quarter_of(now()) + interval '7 months')::date)::text
               placing lpad(to_hex(n), 12, '0') from 25)::uuid, 1, convert_to(repeat('x', 60), 'UTF8')
FROM generate_series(1, 180000) AS n"""
"""More than 16 MB into the last partition of each table."""


async def test_a_quarter_that_cannot_be_dropped_keeps_nothing_else(base: Installation, admin: Connection) -> None:
    """Such as one of which somebody made a view: what comes after it goes, and the round is not at its end."""
    await past_quarters(admin, 8)
    await admin.execute(f"CREATE VIEW somebodys AS SELECT key FROM {(await names(admin, 'ingress'))[0]}")  # noqa: S608
    await admin.execute(
        "INSERT INTO inbound_refusal (client, key, code, message, place, recorded_at) "
        "VALUES ('local', 'k', 'BAD_PHONE', 'm', 'p', now() - interval '91 days')"
    )
    pool, wanted = await base.pool("booking"), jobs(settings_on(base))

    with pytest.raises(Unavailable, match="RETENTION_REFUSED: PostgreSQL: 2BP01"):
        await remove(pool, wanted, datetime.now(UTC))

    assert await pool.fetchval("SELECT count(*) FROM inbound_refusal") == 0
    await admin.execute("DROP VIEW somebodys")
    assert (await remove(pool, wanted, datetime.now(UTC)))[DROPPED] > 0


async def test_keys_go_a_quarter_at_a_time_when_the_last_of_them_is_old_enough(
    base: Installation, admin: Connection
) -> None:
    await past_quarters(admin, 8)
    for number in range(9):
        await take(admin, f"old-{number}", -number * QUARTER)
    pool = await base.pool("booking")
    wanted = jobs(settings_on(base))
    over = [number for number in range(9) if await _is_over(admin, number, 400)]
    assert 2 <= len(over) <= 5

    assert (await overdue(pool, wanted, datetime.now(UTC)))[DROPPED] == Count(len(over))
    assert (await remove(pool, wanted, datetime.now(UTC)))[DROPPED] == len(over)

    left = {row["key"] for row in await pool.fetch("SELECT key FROM ingress")}
    assert left == {f"old-{number}" for number in range(9)} - {f"old-{number}" for number in over}
    told = await admin.fetch("SELECT partition, ends, dropped_by FROM partition_dropped ORDER BY ends DESC")
    assert [row["ends"] for row in told] == [await quarter(admin, 1 - number) for number in over]
    assert {row["dropped_by"] for row in told} == {"attend_booking"}
    assert (await remove(pool, wanted, datetime.now(UTC)))[DROPPED] == 0


async def _is_over(connection: Connection, number: int, days: int) -> bool:
    ends = await quarter(connection, 1 - number)
    return bool(await connection.fetchval("SELECT $1::date <= now() - $2 * interval '1 day'", ends, days))


async def test_no_key_of_the_last_eight_days_is_dropped_whatever_is_asked_for(
    base: Installation, admin: Connection
) -> None:
    await past_quarters(admin, 1)
    await take(admin, "now")
    pool = await base.pool("booking")

    await pool.execute("SELECT FROM drop_ingress('infinity', 1000)")

    assert await pool.fetchval("SELECT count(*) FROM ingress") == 1
    ends = [until for _, until in await bounds(admin, "ingress") if until is not None]
    assert min(ends) > (datetime.now(UTC) - timedelta(days=8)).date()


async def test_a_partition_that_ended_less_than_eight_days_ago_stays_and_one_of_before_goes(
    base: Installation, admin: Connection
) -> None:
    """The inbound topics repeat what is up to seven days old."""
    today = await admin.fetchval("SELECT (now() AT TIME ZONE 'UTC')::date")
    await admin.execute("DROP TABLE ingress_before")
    edges = [f"'{today - timedelta(days=days)}'" for days in (9, 7)]
    for name, lower, upper in zip(
        ("ingress_nine", "ingress_seven", "ingress_present"),
        ("MINVALUE", *edges),
        (*edges, f"'{await quarter(admin, 1)}'"),
        strict=True,
    ):
        await admin.execute(f"CREATE TABLE {name} PARTITION OF ingress FOR VALUES FROM ({lower}) TO ({upper})")
    pool = await base.pool("booking")

    dropped = await pool.fetch("SELECT dropped FROM drop_ingress('infinity', 1000) AS dropped")

    assert [row["dropped"] for row in dropped] == ["ingress_nine"]


async def test_only_so_many_partitions_are_dropped_at_once_and_the_oldest_first(
    base: Installation, admin: Connection
) -> None:
    await past_quarters(admin, 6)
    oldest = [f"ingress_{await quarter(admin, -number):%Y_%m}" for number in (6, 5, 4, 3, 2)]
    pool = await base.pool("booking")

    for expected in (oldest[:2], oldest[2:3], []):
        dropped = await pool.fetch("SELECT dropped FROM drop_ingress('infinity', $1) AS dropped", len(expected))
        assert [row["dropped"] for row in dropped] == expected


async def test_the_right_to_drop_keys_is_the_bookings_service_alone(admin: Connection) -> None:
    """It drops with its owner's rights: whoever may call it may have every key forgotten."""
    allowed = await admin.fetch(
        "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname NOT LIKE 'pg_%' "
        "AND has_function_privilege(rolname, 'booking.drop_ingress(timestamptz, integer)', 'EXECUTE') "
        "AND NOT pg_has_role(rolname, (SELECT proowner FROM pg_proc WHERE oid = "
        "'booking.drop_ingress(timestamptz, integer)'::regprocedure), 'USAGE')"
    )

    assert [row["rolname"] for row in allowed] == ["attend_booking"]


async def test_a_drop_that_must_wait_gives_way_and_is_tried_again(base: Installation, admin: Connection) -> None:
    """Who reads the whole table for long, as a dump does, is not waited for while every booking waits behind."""
    await past_quarters(admin, 8)
    pool, wanted = await base.pool("booking"), jobs(settings_on(base))
    async with connected(base.admin_url) as reader, reader.transaction():
        await reader.fetch("SELECT 1 FROM ingress")
        with pytest.raises(Unavailable):
            async with asyncio.timeout(3):  # the role's own bound is 5 s
                await remove(pool, wanted, datetime.now(UTC))
        await take(admin, "meanwhile")

    assert (await remove(pool, wanted, datetime.now(UTC)))[DROPPED] > 0


@pytest.mark.parametrize("table", TABLES)
async def test_making_partitions_gives_way_too_and_is_tried_again(
    base: Installation, admin: Connection, table: str
) -> None:
    """An administrator's session waits for ever, if nothing tells it otherwise; and every booking behind it."""
    made = "SELECT partition FROM extend_partitions(now() + interval '3 months')"
    async with connected(base.admin_url) as reader, reader.transaction():
        await reader.fetch(f"SELECT 1 FROM {table}")  # noqa: S608  # of this file
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with asyncio.timeout(3):
                await admin.fetch(made)
        await take(admin, "meanwhile")

    assert len(await admin.fetch(made)) == len(TABLES)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE {}", "SELECT 1 FROM {}", "INSERT INTO {} SELECT FROM ingress WHERE false", "DELETE FROM {}",
        "TRUNCATE {}", "ALTER TABLE {} ADD COLUMN x int", "SELECT FROM extend_partitions('9999-01-01')",
        "SELECT FROM extend_partitions(now())", "DELETE FROM partition_dropped", "DROP TABLE ingress",
    ],
)  # fmt: skip
async def test_the_service_reaches_a_partition_through_its_table_alone(
    base: Installation, admin: Connection, statement: str
) -> None:
    await migrator.migrate(base.admin_url, base.service_url("booking"), "booking", "booking")
    pool = await base.pool("booking")
    for table in TABLES:
        for name in await names(admin, table):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await pool.execute(statement.format(name))


async def test_no_partition_of_the_history_is_changed_by_anybody(admin: Connection) -> None:
    await in_quarters(admin, 2)
    for name in ["appointment_history", *await names(admin, "appointment_history")]:
        for statement in (f"UPDATE {name} SET version = 0", f"DELETE FROM {name}", f"TRUNCATE {name}"):  # noqa: S608
            with pytest.raises(asyncpg.RaiseError):
                await admin.execute(statement)


async def test_the_services_daily_round_makes_the_partitions_to_come(served: Door, installation: Installation) -> None:
    async with connected(installation.admin_url) as admin:
        *_, last, after = await names(admin, "ingress")
        await admin.execute(f"DROP TABLE {after}")
        await admin.execute(f"ALTER TABLE ingress DETACH PARTITION {last}")
        begins = await quarter(admin, 1)
        await admin.execute(f"ALTER TABLE ingress ATTACH PARTITION {last} FOR VALUES FROM ('{begins}') TO (MAXVALUE)")
        stop = asyncio.Event()
        daily = asyncio.create_task(served.service.retention.run(stop, first_after_s=0))

        async def made() -> bool:
            return bool((await bounds(admin, "ingress"))[-1][0] == await quarter(admin, 2))

        await until(made)
        stop.set()
        await daily


async def test_the_daily_round_tells_of_a_partition_that_could_not_be_made(
    base: Installation, admin: Connection, written: io.StringIO
) -> None:
    await take(admin, "of a clock gone wrong", 50 * YEAR)
    last = (await names(admin, "ingress"))[-1]
    pool, stop = await create_pool(base.admin_url, "booking"), asyncio.Event()
    later = AHEAD.replace("partitions_ahead()", "extend_partitions(now() + interval '3 months')")
    daily = asyncio.create_task(Retention(pool, (), RealClock(), later).run(stop, first_after_s=0))

    async def done() -> bool:
        return bool(lines(written, "retention.done"))

    await until(done)
    stop.set()
    await daily
    await pool.close()

    assert [(line["partition"], line["level"]) for line in lines(written, "partition.not_made")] == [(last, "warning")]
    assert len(lines(written, "partition.made")) == 1
