"""Counting for a person who asks how much there would be: no further than it matters, and not for long."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from chassis.postgres.database import Pool

MOST = 100_000
"""Rows that are counted: whoever hears of so many does not need the last digits."""
LONGEST_S = 5.0
"""For one statement: half of what a transaction may take (`migrate`), so that the answer is ours and no error."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are.

    Attributes:
        rows: So many; None: it would have taken too long.
    """

    rows: int | None
    more: bool = False

    def __str__(self) -> str:
        """For people."""
        if self.rows is None:
            return f"not counted within {LONGEST_S:g} s"
        return f"{self.rows:,}{' or more' if self.more else ''}"


async def in_time(pool: Pool, query: str, *arguments: object, longest_s: float = LONGEST_S) -> list[Any] | None:
    """Return what a statement finds, in a transaction that writes nothing; None if it takes longer."""
    async with pool.transaction(readonly=True) as connection:
        await connection.execute(f"SET LOCAL statement_timeout = {longest_s * 1000:.0f}")
        try:
            return list(await connection.fetch(query, *arguments))
        except asyncpg.QueryCanceledError:
            return None


async def count(pool: Pool, rows: str, *arguments: object, most: int = MOST, longest_s: float = LONGEST_S) -> Count:
    """Count what a statement gives, one row for each.

    Args:
        rows: `SELECT FROM … WHERE …`, without a limit of its own.
    """
    query = f"SELECT count(*) FROM ({rows} LIMIT {most + 1:d}) AS counted"  # noqa: S608  # a statement of ours
    found = await in_time(pool, query, *arguments, longest_s=longest_s)
    if found is None:
        return Count(None)
    return Count(min(found[0][0], most), found[0][0] > most)
