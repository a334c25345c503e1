"""Flags on visits in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from booking.door.domain import Client
from booking.work_list import statements
from booking.work_list.domain import MEANINGS, Flag
from chassis.postgres.database import Connection, Pool


async def raise_flags(connection: Connection, flags: Sequence[Flag], now: datetime) -> None:
    """Put visits on the work list; one that has an open flag of that code keeps it as it is.

    The visits' rows are locked by the caller, so that two who raise or settle the same never meet.
    """
    if flags:
        await connection.execute(statements.RAISE, *map(list, zip(*flags, strict=True)), now)


async def settle(
    connection: Connection, appointment_ids: Collection[UUID], codes: Collection[str], by: str, now: datetime
) -> None:
    """Close the open flags of these codes on these visits: what they were about is so no more.

    Args:
        by: Who or what settled it, as `caused_by` names it.
    """
    if appointment_ids and codes:
        await connection.execute(statements.SETTLE, list(appointment_ids), list(codes), by, now)


async def flags(
    pool: Pool,
    sources: Collection[str] | None,
    clinics: Collection[str] | None,
    clinic: str | None,
    code: str | None,
    state: str,
    after: int | None,
    limit: int,
) -> list[dict[str, Any]]:
    """Return flags of visits, newest first.

    Args:
        sources: Of what came from these alone; None: from any.
        clinics: Of visits at these, or at none yet, alone; None: at any.
        state: One of `statements.OF_STATE`.
        after: The id of the last flag of the page before; None: from the beginning.
    """
    page = statements.PAGE.format(state=statements.OF_STATE[state])
    return [_shown(row) for row in await pool.fetch(page, sources, clinics, clinic, code, after, limit)]


async def done(
    connection: Connection, client: Client, flag_id: int, by: str, note: str | None, now: datetime
) -> dict[str, Any] | None:
    """Close a flag and return it; one that was closed before stays as it was, and is a `repeat`.

    Returns:
        None if there is none of a visit that the client sees.
    """
    seen = (client.seen_sources, client.seen_clinics, flag_id)
    if await connection.fetchrow(statements.ONE, *seen) is None:
        return None
    closed = await connection.fetchval(statements.DONE, flag_id, by, note, now)
    row = await connection.fetchrow(statements.ONE, *seen)
    return _shown(row) | {"repeat": closed is None}


def _shown(row: Any) -> dict[str, Any]:
    return {**dict(row), "meaning": MEANINGS.get(row["code"], "")}
