"""Check-ins in PostgreSQL: appended, never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from booking.check_ins import statements
from booking.check_ins.domain import CheckIn, TurnedAway
from chassis.postgres.database import Connection, Pool


async def keep(connection: Connection, check_ins: Sequence[CheckIn], now: datetime) -> None:
    """Append check-ins. Their visits' rows are locked, so that `serial` tells the order in which they were decided."""
    if check_ins:
        await connection.execute(statements.KEEP, *map(list, zip(*map(_row, check_ins), strict=True)), now)


async def keep_refused(connection: Connection, refused: Sequence[TurnedAway], now: datetime) -> None:
    """Append refusals of check-ins, each once. Their visits' rows are locked."""
    if refused:
        rows = [
            (
                *(one.appointment_id, one.version, one.status.value, one.code, one.standing.mode.value),
                *(_json(one.standing.checked), _json(one.standing.lacking)),
                *(one.client, one.key, one.by, one.what_sha256),
            )
            for one in refused
        ]
        await connection.execute(statements.KEEP_REFUSALS, *map(list, zip(*rows, strict=True)), now)


async def refused_of_visit(pool: Pool, appointment_id: UUID) -> list[dict[str, Any]]:
    """Return the check-ins of a visit that were refused, oldest first, as they are answered."""
    rows = await pool.fetch(statements.REFUSALS_OF_VISIT, appointment_id)
    return [{**dict(row), "by": row["asked_by"]} for row in rows]


async def of_visit(pool: Pool, appointment_id: UUID) -> list[dict[str, Any]]:
    """Return the check-ins of a visit, oldest first, as they are answered."""
    rows = await pool.fetch(statements.OF_VISIT, appointment_id)
    return [{**_read(row), "by": row["checked_by"], **{name: row[name] for name in _WHO}} for row in rows]


async def of_command(pool: Pool, appointment_id: UUID, client: str, key: str) -> dict[str, Any] | None:
    """Return what was checked for a command that checked a visit in, else for the visit's last check-in, if any."""
    row = await pool.fetchrow(statements.OF_COMMAND, appointment_id, client, key)
    return None if row is None else _read(row)


def told(one: CheckIn) -> dict[str, Any]:
    """Return what was checked, as it is answered."""
    standing = one.standing
    listed = {name: [each._asdict() for each in getattr(standing, name)] for name in ("checked", "lacking")}
    return {"status": one.status, "mode": standing.mode, **listed, "overridden": one.verdict.overridden}


_WHO = ("version", "at_desk", "client", "reason", "checked_at")


def _row(one: CheckIn) -> tuple[Any, ...]:
    standing, by = one.standing, None if one.asked is None else one.asked.by
    checked, lacking = (_json(each) for each in (standing.checked, standing.lacking))
    return (
        *(one.appointment_id, one.version, one.status.value, standing.mode.value, checked, lacking),
        one.verdict.overridden,
        *(one.asked is not None, one.client, one.key, by, one.reason),
    )


def _json(each: Sequence[Any]) -> str:
    return orjson.dumps([one._asdict() for one in each]).decode()


def _read(row: Any) -> dict[str, Any]:
    return {name: row[name] for name in ("status", "mode", "checked", "lacking", "overridden")}
