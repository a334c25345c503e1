"""Moving a consumer's position past what cannot be read: a person's decision, on record.

The position moves by compare-and-set, as the consumer itself moves it: one that runs notices and goes on from there.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiokafka import TopicPartition

from chassis.postgres.database import Pool
from chassis.process.errors import RejectedEvent

LONGEST = {"by": 100, "reason": 500}

_HELD = """
SELECT consumer, next_offset FROM consumer_offset
WHERE topic = $1 AND partition = $2 AND ($3::text IS NULL OR consumer = $3) ORDER BY consumer
"""
_MOVE = """
UPDATE consumer_offset SET next_offset = $5
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND next_offset = $4 RETURNING next_offset
"""
_RECORD = """
INSERT INTO position_skip (consumer, topic, partition, from_offset, to_offset, skipped_by, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
_DONE_BEFORE = """
SELECT skipped_by, skipped_at FROM position_skip
WHERE consumer = $1 AND topic = $2 AND partition = $3 AND from_offset < $4 AND to_offset = $4 ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Held:
    """One consumer's position in one partition."""

    consumer: str
    tp: TopicPartition
    position: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """That the same was done before: by whom, and when on the database's clock."""

    by: str
    at: datetime


class Elsewhere(Protocol):
    """Positions that are not in PostgreSQL: see `GroupPositions`."""

    def keeps(self, consumer: str | None, tp: TopicPartition) -> bool:
        """Say whether the position meant is one of these."""

    async def held(self, tp: TopicPartition) -> Held:
        """Return it."""

    async def move(self, held: Held, to: int) -> None:
        """Move it, or order so."""


async def held(pool: Pool, consumer: str | None, tp: TopicPartition) -> Held:
    """Return the position.

    Args:
        consumer: Whose; None where the topic has only one consumer in this service.

    Raises:
        RejectedEvent: NOT_CONSUMED or SEVERAL_CONSUMERS.
    """
    rows = await pool.fetch(_HELD, tp.topic, tp.partition, consumer)
    if not rows:
        raise RejectedEvent("NOT_CONSUMED", f"nothing here has a position in {tp.topic}[{tp.partition}]")
    if len(rows) > 1:
        raise RejectedEvent("SEVERAL_CONSUMERS", f"say with --consumer which: {', '.join(r['consumer'] for r in rows)}")
    return Held(rows[0]["consumer"], tp, rows[0]["next_offset"])


async def done_before(pool: Pool, held: Held, to: int) -> Skipped | None:
    """Return who has moved this position to the same place; None if it still stands before it, or nobody has."""
    row = None if held.position < to else await pool.fetchrow(_DONE_BEFORE, held.consumer, *held.tp, to)
    return Skipped(row["skipped_by"], row["skipped_at"]) if row else None


def check(held: Held, to: int, first: int, end: int) -> None:
    """Refuse to go where there is nothing, or back; back only from beyond the end, when the topic was made anew.

    Raises:
        RejectedEvent: BEYOND_THE_TOPIC or BACKWARDS.
    """
    place = f"{held.tp.topic}[{held.tp.partition}]"
    if not first <= to <= end:
        raise RejectedEvent("BEYOND_THE_TOPIC", f"--to {to}: {place} holds {first} to {end}")
    if to <= held.position <= end:
        raise RejectedEvent("BACKWARDS", f"--to {to}: {place} stands at {held.position}, and only moves forward")


async def skip(pool: Pool, held: Held, to: int, by: str, reason: str) -> None:
    """Move the position and write down who did it and why, both or neither.

    Raises:
        RejectedEvent: NO_NAME or NO_REASON; MOVED_MEANWHILE: the consumer itself went on, nothing was changed.
    """
    by, reason = told(by, reason)
    async with pool.transaction() as connection:
        if await connection.fetchval(_MOVE, held.consumer, *held.tp, held.position, to) is None:
            raise RejectedEvent("MOVED_MEANWHILE", f"the position is no longer {held.position}: look again")
        await connection.execute(_RECORD, held.consumer, *held.tp, held.position, to, by, reason)


async def skip_elsewhere(pool: Pool, elsewhere: Elsewhere, held: Held, to: int, by: str, reason: str) -> None:
    """Write down who moves a position that is elsewhere and why, and move it.

    The record is committed before, so that no position moves without one, however long the move takes. Where it then
    fails, the record is of what was ordered and may not have come about; ordering it again is safe, and on record too.
    """
    by, reason = told(by, reason)
    await pool.execute(_RECORD, held.consumer, *held.tp, held.position, to, by, reason)
    await elsewhere.move(held, to)


def told(by: str, reason: str) -> tuple[str, str]:
    """Return name and reason as they are kept."""
    return _text(by, "by", "NO_NAME"), _text(reason, "reason", "NO_REASON")


def _text(text: str, option: str, code: str) -> str:
    text = text.strip()
    if not text or not text.isprintable() or len(text) > LONGEST[option]:
        raise RejectedEvent(code, f"--{option}: 1 to {LONGEST[option]} characters that can be printed")
    return text
