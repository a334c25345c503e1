"""What became of each message about an appointment, read from PostgreSQL."""

from uuid import UUID

import asyncpg

from chassis.postgres.database import Pool
from notifier.ledger import statements
from notifier.ledger.bodies import AttemptView, NotificationList, NotificationView
from notifier.ledger.domain.states import NotificationState, outcome_of
from notifier.ledger.odd_rows import readable


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
