"""Dead letters: what cannot be applied is kept with its bytes, position and reason, and replays (G8)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection, Pool
from chassis.process.errors import RejectedEvent
from schemas.envelope import Received

MESSAGE_CHARS = 1_000
INTERNAL = "INTERNAL"
"""Reason code of a record whose reading, or twice alone its effect, raised an unexpected exception; or whose effect
alone is more than PostgreSQL does in one transaction (`chassis.delivery.lone_partition`)."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One record that was not applied. Bytes of a header's name that are not UTF-8 are lone surrogates (PEP 383).

    Attributes:
        place: Where in the value it is wrong, as a path; None: not said.
        event_id: Which event it is; None: that could not be read, or was not looked for.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Received
    code: str
    message: str
    place: str | None = None
    event_id: str | None = None
    id: int | None = None
    recorded_at: datetime | None = None
    state: str = "open"
    settled_at: datetime | None = None


_STORE = """
INSERT INTO dead_letter (consumer, topic, partition, "offset", key, value, headers, code, message, place, event_id)
SELECT $1, topic, partition, "offset", key, value, headers, code, message, place, event_id
FROM unnest($2::text[], $3::int[], $4::bigint[], $5::bytea[], $6::bytea[], $7::bytea[], $8::text[], $9::text[],
            $10::text[], $11::text[])
    AS dead (topic, partition, "offset", key, value, headers, code, message, place, event_id)
ON CONFLICT (consumer, topic, partition, "offset") DO NOTHING
"""
_COLUMNS = (
    'id, topic, partition, "offset", key, value, headers, code, message, place, event_id, recorded_at, state, '
    "settled_at"
)


async def store(connection: Connection, consumer: str, letters: Sequence[DeadLetter]) -> None:
    """Keep the letters, in the caller's transaction; a repeat keeps the first."""
    if letters:
        await connection.execute(
            _STORE,
            consumer,
            *columns(letters, "topic", "partition", "offset", "key", "value"),
            [_pack(d.headers) for d in letters],
            [d.code for d in letters],
            [_storable(d.message) for d in letters],
            *columns(letters, "place", "event_id"),
        )


async def listed(pool: Pool, state: str | None = "open", limit: int = 100, after: int = 0) -> list[DeadLetter]:
    """Return letters in the order they were recorded.

    Args:
        state: open, replayed, discarded, or None for all.
    """
    query = (
        f"SELECT {_COLUMNS} FROM dead_letter WHERE id > $1 AND ($2::text IS NULL OR state = $2) ORDER BY id LIMIT $3"  # noqa: S608  # constants
    )
    return [_letter(row) for row in await pool.fetch(query, after, state, limit)]


async def one(pool: Pool, letter_id: int) -> DeadLetter | None:
    """Return one letter, or None if there is none of that id."""
    row = await pool.fetchrow(f"SELECT {_COLUMNS} FROM dead_letter WHERE id = $1", letter_id)  # noqa: S608  # constants
    return None if row is None else _letter(row)


async def at(pool: Pool, consumer: str, topic: str, partition: int, offset: int) -> DeadLetter | None:
    """Return the letter of the record there, or None if it is none."""
    place = 'consumer = $1 AND topic = $2 AND partition = $3 AND "offset" = $4'
    query = f"SELECT {_COLUMNS} FROM dead_letter WHERE {place}"  # noqa: S608  # constants
    row = await pool.fetchrow(query, consumer, topic, partition, offset)
    return None if row is None else _letter(row)


async def count(pool: Pool) -> int:
    """Return how many letters are open."""
    return int(await pool.fetchval("SELECT count(*) FROM dead_letter WHERE state = 'open'"))


async def discard(pool: Pool, letter_id: int) -> bool:
    """Settle a letter without effect; False if it was not open."""
    found = await pool.fetchval(
        "UPDATE dead_letter SET state = 'discarded', settled_at = clock_timestamp() "
        "WHERE id = $1 AND state = 'open' RETURNING id",
        letter_id,
    )
    return found is not None


async def claim(connection: Connection, letter_id: int) -> DeadLetter:
    """Mark an open letter replayed, in the transaction that applies it, so that twice is once."""
    row = await connection.fetchrow(
        "UPDATE dead_letter SET state = 'replayed', settled_at = clock_timestamp() "  # noqa: S608  # constants
        f"WHERE id = $1 AND state = 'open' RETURNING {_COLUMNS}",
        letter_id,
    )
    if row is None:
        held = await connection.fetchrow("SELECT state, settled_at FROM dead_letter WHERE id = $1", letter_id)
        raise RejectedEvent("NOT_OPEN", f"dead letter {letter_id} {_not_open(held)}")
    return _letter(row)


def _not_open(row: "asyncpg.Record | None") -> str:
    return "is not there" if row is None else f"was {row['state']} at {row['settled_at']:%Y-%m-%d %H:%M} UTC"


def _storable(message: str) -> str:
    """Return the message as PostgreSQL can keep it: no NUL, no lone surrogates, of bounded length."""
    return message.replace("\0", "").encode("utf-8", "replace").decode()[:MESSAGE_CHARS]


def _pack(headers: Received) -> bytes:
    """Return any headers as ASCII JSON. Not orjson: it refuses lone surrogates."""
    return json.dumps([(name, None if value is None else value.hex()) for name, value in headers]).encode()


def _letter(row: "asyncpg.Record") -> DeadLetter:
    fields = dict(row)
    packed = json.loads(fields.pop("headers"))
    headers = tuple((name, None if value is None else bytes.fromhex(value)) for name, value in packed)
    return DeadLetter(headers=headers, **fields)
