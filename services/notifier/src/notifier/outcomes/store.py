"""The feed of outcomes in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from chassis.postgres.database import Pool
from notifier.outcomes import statements as sql
from notifier.outcomes.place import Place


class PostgresOutcomes:
    """Reads the feed; its writers are triggers of the ledger."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def after(self, place: Place, limit: int) -> Sequence[tuple[Place, dict[str, Any]]]:
        """Return up to `limit` outcomes after a place, each with its own."""
        rows = await self._pool.fetch(sql.PAGE, str(place.xid), place.seq, limit)
        return [(_place(row), _outcome(row)) for row in rows]

    async def horizon(self) -> Place:
        """Return the place up to which outcomes were removed; what is asked for with an earlier one has a gap."""
        row = await self._pool.fetchrow(sql.HORIZON)
        return Place(0, 0) if row is None else _place(row)

    async def newest(self) -> Place:
        """Return the last place there is."""
        row = await self._pool.fetchrow(sql.NEWEST)
        return Place(0, 0) if row is None else _place(row)


def _outcome(row: asyncpg.Record) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in Place._fields}


def _place(row: asyncpg.Record) -> Place:
    return Place(int(row["xid"]), row["seq"])
