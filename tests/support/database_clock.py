"""A PostgreSQL whose clock differs from this machine's, for one database."""

from datetime import timedelta

import asyncpg

_SHIFT = """
SET allow_system_table_mods = on;
ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO clock_timestamp_of_the_machine;
CREATE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS
$$ SELECT pg_catalog.clock_timestamp_of_the_machine() + '{} s'::interval $$;
"""


async def shift(admin_url: str, by: timedelta) -> None:
    """Put the database's clock forward, as every session opened from now on reads it."""
    connection = await asyncpg.connect(admin_url)
    try:
        await connection.execute(_SHIFT.format(by.total_seconds()))
    finally:
        await connection.close()
