"""Words of the tests about partitions: which there are, and how time goes on for them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg

from booking.appointments.domain.known import RecordedEvent
from booking.appointments.domain.state import Result
from chassis.postgres.database import Connection

TABLES = ("ingress", "appointment_history")
QUARTER, YEAR = timedelta(days=91.3), timedelta(days=365)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url, server_settings={"search_path": "booking", "timezone": "UTC"})
    try:
        yield connection
    finally:
        await connection.close()


async def bounds(connection: Connection, table: str) -> list[tuple[Any, Any]]:
    rows = await connection.fetch(f"SELECT begins, ends FROM partition_bounds('{table}') ORDER BY begins NULLS FIRST")  # noqa: S608
    return [(row["begins"], row["ends"]) for row in rows]


async def names(connection: Connection, table: str) -> list[str]:
    rows = await connection.fetch(f"SELECT name FROM partition_bounds('{table}') ORDER BY begins NULLS FIRST")  # noqa: S608
    return [row["name"] for row in rows]


async def quarter(connection: Connection, ahead_by: int = 0) -> Any:
    """Return the first day of a quarter, so many after this one."""
    return await connection.fetchval("SELECT (quarter_of(now()) + $1 * interval '3 months')::date", ahead_by)


async def in_quarters(connection: Connection, count: int) -> None:
    """Go so many quarters on: each time the partitions to come are made as they would be then."""
    for number in range(count + 1):
        await connection.execute("SELECT FROM extend_partitions(now() + $1 * interval '3 months')", number)


TAKE = """
INSERT INTO ingress (client, key, body_sha256, result, appointment_id, version, warnings, recorded_at, period)
SELECT 'local', $1, '', 'applied', gen_random_uuid(), 1, '{}', at, quarter_of(at)
FROM (SELECT now() + $2::interval) AS machine (at)
"""


async def take(connection: Connection, key: str, later: timedelta = timedelta()) -> None:
    """Keep a key as if it had been taken so much later, or earlier, than now."""
    await connection.execute(TAKE, key, later)


def one(key: str) -> dict[tuple[str, str], RecordedEvent]:
    """Return an event that was taken."""
    return {("local", key): RecordedEvent(b"x" * 32, Result.APPLIED, uuid4(), 1)}
