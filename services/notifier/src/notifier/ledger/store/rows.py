"""Reading and writing the ledger's rows.

Large batches go in by COPY: half of what the same rows cost by INSERT, in the driver and in the server. COPY knows no
`ON CONFLICT`. So only rows that this transaction has looked for are copied; should one be there all the same, the
batch is applied again record by record, by INSERT.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import structlog

from chassis.postgres.database import Connection, Pool
from notifier.gate.domain.chain import Step
from notifier.ledger import statements
from notifier.ledger import statements as sql
from notifier.ledger.bodies import AttemptView, NotificationList, NotificationView
from notifier.ledger.columns import COPIED, INSERTED, WRITTEN, Column
from notifier.ledger.domain.notification import Notification, Row, UnreadableRow
from notifier.ledger.domain.states import NotificationState, outcome_of
from schemas.notifications import Channel, DeliveryState, Kind
from schemas.reminders import Reason


async def find(pool: Pool, appointment_id: UUID) -> NotificationList:
    """Return every message about an appointment with its calls."""
    rows = await pool.fetch(statements.FIND_NOTIFICATIONS, appointment_id)
    calls = await pool.fetch(statements.FIND_ATTEMPTS, [row["notification_id"] for row in rows])
    made: dict[UUID, list[AttemptView]] = {row["notification_id"]: [] for row in rows}
    for call in calls:
        made[call["notification_id"]].append(AttemptView.model_validate(dict(call)))
    return NotificationList(items=list(readable(rows, lambda row: _view(row, made[row["notification_id"]]))))


def _view(row: asyncpg.Record, calls: list[AttemptView]) -> NotificationView:
    told = {**dict(row), "outcome": outcome_of(NotificationState(row["state"])), "calls": calls}
    return NotificationView.model_validate(told)


log: structlog.stdlib.BoundLogger = structlog.get_logger()


def readable[T](rows: Iterable[asyncpg.Record], read: Callable[[asyncpg.Record], T]) -> Iterator[T]:
    """Give each message as `read` returns it; one that raises is logged with its id and left out."""
    for row in rows:
        try:
            yield read(row)
        except (ValueError, LookupError, TypeError):
            log.exception("message.unreadable", notification_id=str(row["notification_id"]))


FROM_ROWS = 100
"""Below it a COPY's further trip to the server costs more than it saves."""

_COPIED = [column.name for column in COPIED]
_RECORD = attrgetter(*_COPIED)


def notification(row: asyncpg.Record) -> Notification:
    """Return the ledger's row as the domain knows it."""
    return Notification(
        notification_id=row["notification_id"],
        kind=Kind(row["kind"]),
        recipient=row["recipient"],
        appointment_id=row["appointment_id"],
        schedule_gen=row["schedule_gen"],
        reminder_id=row["reminder_id"],
        caused_by=row["caused_by"],
        state=NotificationState(row["state"]),
        lane=Channel(row["lane"]) if row["lane"] else None,
        not_after=row["not_after"],
        next_attempt_at=row["next_attempt_at"],
        version=row["version"],
        attempts=row["attempts"],
        attempt_id=row["attempt_id"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        clinic_id=row["clinic_id"],
        ordinal=row["ordinal"],
        steps=tuple(Step(Channel(step["channel"]), Reason(step["reason"])) for step in row["steps"]),
        step_began_at=row["step_began_at"],
        step_attempts=row["step_attempts"],
        accepted_at=row["accepted_at"],
        delivery_state=DeliveryState(row["delivery_state"]),
        replaces=row["replaces"],
        recipient_id=row["recipient_id"],
        said_starts_at=row["said_starts_at"],
        said_at=row["said_at"],
    )


def read(row: asyncpg.Record) -> Row:
    """Return the row, or that it cannot be read: those beside it can be."""
    try:
        return notification(row)
    except Exception as error:  # noqa: BLE001  # whatever reading a row raises is that row's
        odd = UnreadableRow(row["notification_id"])
        odd.__cause__ = error
        return odd


def steps(held: Notification) -> str:
    """Return the channels passed over as the JSON that the ledger keeps; a list would be a dimension to the driver."""
    if not held.steps:
        return "[]"
    return orjson.dumps([{"channel": step.channel, "reason": step.reason} for step in held.steps]).decode()


async def insert(connection: Connection, notifications: Sequence[Notification], now: datetime) -> None:
    """Insert each notification, or nothing if its id is there."""
    await connection.execute(sql.INSERT, *_arrays(INSERTED, notifications), now)


async def write(
    connection: Connection, notifications: Sequence[Notification], now: datetime, lease: timedelta | None = None
) -> None:
    """Write these states back to rows that are locked.

    Args:
        lease: Of those in `sending`, machine time; None if there can be none.
    """
    if not notifications:
        return
    await connection.execute(sql.WRITE, *_arrays(WRITTEN, notifications), now, lease)


def parted(notifications: Sequence[Notification]) -> tuple[list[Notification], list[Notification]]:
    """Return those to copy, and those to insert: all if they are few, else those that jsonb keeps out of a COPY."""
    plain = [one for one in notifications if not one.steps]
    if len(plain) < FROM_ROWS:
        return [], list(notifications)
    return plain, [one for one in notifications if one.steps]


async def copy_notifications(connection: Connection, notifications: Sequence[Notification], now: datetime) -> None:
    """Copy new rows into the ledger."""
    records = [(*_RECORD(one), now, now) for one in notifications]
    columns = [*_COPIED, "created_at", "changed_at"]
    await connection.copy_records_to_table("notification", records=records, columns=columns)


def _arrays(columns: Sequence[Column], notifications: Sequence[Notification]) -> Iterator[list[Any]]:
    """Give for each column the values of all messages."""
    for column in columns:
        get: Callable[[Notification], Any] = steps if column.type == "jsonb" else attrgetter(column.name)
        yield [get(one) for one in notifications]
