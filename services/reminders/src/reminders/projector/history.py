"""What a reminder was over time, as `GET /v1/reminders/{reminder_id}/history` shows it (R17)."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from chassis.postgres.database import Pool
from schemas.reminders import Reason, ReminderStatus

_HISTORY = """
SELECT status, reason, handed_over_at, notification_id, delivery_state, at, caused_by
FROM reminder_history WHERE reminder_id = $1 ORDER BY id
"""


class Entry(BaseModel):
    """What a reminder was from an instant on, and what led to it."""

    status: ReminderStatus
    reason: Reason | None
    handed_over_at: datetime | None
    notification_id: UUID | None
    delivery_state: str | None
    at: datetime
    caused_by: str


class History(BaseModel):
    """Everything a reminder ever was, oldest first."""

    items: list[Entry]


async def history_of(pool: Pool, reminder_id: UUID) -> History:
    """Return the history of a reminder; it is empty for one that is not known."""
    rows = await pool.fetch(_HISTORY, reminder_id)
    return History(items=[Entry.model_validate(dict(row)) for row in rows])
