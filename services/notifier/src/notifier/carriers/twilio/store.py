"""What the ledger knows of SMS that are looked for in Twilio's list."""

from collections.abc import Collection, Sequence

from chassis.postgres.database import Connection, Pool
from notifier.carriers.twilio import statements as sql
from notifier.carriers.twilio.domain import AFTER, BEFORE, Unknown


async def unknown_attempts(connection: Connection, from_s: float, to_s: float, most: int) -> list[Unknown]:
    """Return attempts of unknown outcome of an age between these, machine time, the newest first."""
    rows = await connection.fetch(sql.UNKNOWN_ATTEMPTS, from_s, to_s, BEFORE + AFTER, most)
    return [Unknown(*row) for row in rows]


async def known_references(pool: Pool, references: Sequence[str]) -> Collection[str]:
    """Return those among these ids of the carrier that the ledger has of an attempt."""
    return {row[0] for row in await pool.fetch(sql.KNOWN_REFERENCES, references)}
