"""Reading and writing the ledger's rows."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from chassis.database import Connection
from notifier.adapters import sql
from notifier.domain.ledger import Notification
from notifier.domain.states import State
from schemas.notifications import Channel, Kind
from schemas.reminders import Reason


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
        state=State(row["state"]),
        lane=Channel(row["lane"]) if row["lane"] else None,
        not_after=row["not_after"],
        next_attempt_at=row["next_attempt_at"],
        version=row["version"],
        attempts=row["attempts"],
        attempt_id=row["attempt_id"],
        reason=Reason(row["reason"]) if row["reason"] else None,
    )


async def insert(connection: Connection, notifications: Sequence[Notification], now: datetime) -> None:
    """Insert each notification, or nothing if its id is there."""
    await connection.execute(
        sql.INSERT,
        [one.notification_id for one in notifications],
        [one.version for one in notifications],
        [one.kind for one in notifications],
        [one.recipient for one in notifications],
        [one.appointment_id for one in notifications],
        [one.schedule_gen for one in notifications],
        [one.reminder_id for one in notifications],
        [one.caused_by for one in notifications],
        [one.state for one in notifications],
        [one.lane for one in notifications],
        [one.not_after for one in notifications],
        [one.next_attempt_at for one in notifications],
        [one.reason for one in notifications],
        now,
    )
