"""What older versions kept under plain hashes of addresses is given its key, and later loses the hash (decision 0023).

A row that has its key keeps its hash while instances that know hashes alone may still run, for a day after the
migration. Any number of processes may do this; again changes nothing.
"""

import asyncio
import contextlib

import asyncpg
import structlog

from chassis.postgres.database import Pool
from chassis.process.errors import Unavailable
from notifier.values.addresses import Peppers

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_S = 60.0
BATCH = 1_000
TABLES = ("opt_out", "opt_out_history", "reply", "attempt")

_PLAIN = """
SELECT DISTINCT address_sha256 FROM (
    SELECT address_sha256 FROM {table} WHERE address_sha256 IS NOT NULL AND address_key IS NULL LIMIT $1
) AS found"""

# The same address may have been stopped under its key meanwhile: that one stands.
_TWICE = """
DELETE FROM opt_out AS plainly USING unnest($1::bytea[], $2::bytea[]) AS known (plain, key)
WHERE plainly.address_sha256 = known.plain AND plainly.address_key IS NULL AND EXISTS (
    SELECT FROM opt_out AS kept WHERE kept.address_key = known.key AND kept.channel = plainly.channel
        AND kept.category = plainly.category)"""

_GIVE = """
UPDATE {table} AS kept SET address_key = known.key
FROM unnest($1::bytea[], $2::bytea[]) AS known (plain, key)
WHERE kept.address_sha256 = known.plain AND kept.address_key IS NULL"""

_FORGET = """
UPDATE {table} SET address_sha256 = NULL WHERE ctid IN (
    SELECT ctid FROM {table} WHERE address_key IS NOT NULL AND address_sha256 IS NOT NULL LIMIT $1)"""

_OVERLAP = "SELECT EXISTS (SELECT FROM address_overlap WHERE until > clock_timestamp())"


class Rekeying:
    """A part of the process that serves the API."""

    def __init__(self, pool: Pool, peppers: Peppers, every_s: float = EVERY_S) -> None:
        self._pool, self._peppers, self._every_s = pool, peppers, every_s

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a database that is away for a while is waited for."""
        while not stop.is_set():
            try:
                await self.round()
            except Unavailable as error:
                log.warning("rekeying.unavailable", code=error.code)
            except asyncpg.UniqueViolationError:  # somebody stopped the same address meanwhile: the next round sees it
                log.info("rekeying.again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._every_s)

    async def round(self) -> dict[str, int]:
        """Give every row its key, and take the hashes away once no older instance may run; return how many rows.

        Raises:
            Unavailable: The database is not there; the batches before are done.
        """
        done: dict[str, int] = {}
        for table in TABLES:
            done[table] = await self._give(table)
        if not await self._pool.fetchval(_OVERLAP):
            for table in TABLES:
                done[f"{table} forgotten"] = await self._forget(table)
        if any(done.values()):
            log.info("rekeying.done", **{name.replace(" ", "_"): count for name, count in done.items() if count})
        return done

    async def _give(self, table: str) -> int:
        given = 0
        while plain := [row[0] for row in await self._pool.fetch(_PLAIN.format(table=table), BATCH)]:
            keys = [self._peppers.of_plain(one).key for one in plain]
            async with self._pool.transaction() as connection:
                if table == "opt_out":
                    await connection.execute(_TWICE, plain, keys)
                given += _rows(await connection.execute(_GIVE.format(table=table), plain, keys))
        return given

    async def _forget(self, table: str) -> int:
        forgotten = 0
        while rows := _rows(await self._pool.execute(_FORGET.format(table=table), BATCH)):
            forgotten += rows
        return forgotten


def _rows(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
