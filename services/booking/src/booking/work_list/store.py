"""Flags on visits in PostgreSQL."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from booking.work_list import statements
from booking.work_list.domain import Flag
from chassis.postgres.database import Connection


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
