"""The read API: what became of each message, and of each call (R25)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from chassis.database import unavailable
from notifier.ledger import statements
from notifier.ledger.domain.states import NotificationState, outcome_of
from notifier.ledger.odd_rows import readable
from schemas.notifications import Channel, DeliveryState, Kind, Outcome
from schemas.reminders import Reason


class AttemptView(BaseModel):
    """One call to a carrier, as written down before and after it. `attempt_id` is the carrier's reference.

    `preference_version`: of the preferences that its gate saw; null: nothing had been said (B13).
    """

    attempt_id: UUID
    ordinal: int
    channel: Channel
    gated_version: int
    gated_at: datetime
    answered_at: datetime | None
    outcome: str | None
    code: str | None
    delivery_state: DeliveryState
    preference_version: int | None


class NotificationView(BaseModel):
    """One message to one recipient. `outcome` is null while it is still being worked on.

    `steps` are the channels passed over, each with its reason; `ordinal` above 0: a person sent it again.
    """

    notification_id: UUID
    appointment_id: UUID
    kind: Kind
    recipient: str
    state: NotificationState
    outcome: Outcome | None
    channel: Channel | None
    reason: Reason | None
    delivery_state: DeliveryState
    steps: list[dict[str, str]]
    ordinal: int
    clinic_id: str | None
    accepted_at: datetime | None
    schedule_gen: int
    reminder_id: UUID | None
    attempts: int
    not_after: datetime | None
    next_attempt_at: datetime
    caused_by: str
    created_at: datetime
    changed_at: datetime
    calls: list[AttemptView]


class NotificationList(BaseModel):
    """Every message about one appointment, oldest first."""

    items: list[NotificationView]


def routes(pool: asyncpg.Pool, operator: Any) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1", dependencies=[Depends(operator)])

    @router.get("/notifications", tags=["notifications"], summary="What became of each message about an appointment")
    async def notifications(appointment: Annotated[UUID, Query()]) -> NotificationList:
        return await find(pool, appointment)

    return router


async def find(pool: asyncpg.Pool, appointment_id: UUID) -> NotificationList:
    """Return every message about an appointment with its calls.

    Raises:
        Unavailable: The database cannot answer now.
    """
    with unavailable():
        rows = await pool.fetch(statements.FIND_NOTIFICATIONS, appointment_id)
        calls = await pool.fetch(statements.FIND_ATTEMPTS, [row["notification_id"] for row in rows])
    made: dict[UUID, list[AttemptView]] = {row["notification_id"]: [] for row in rows}
    for call in calls:
        made[call["notification_id"]].append(AttemptView.model_validate(dict(call)))
    return NotificationList(items=list(readable(rows, lambda row: _view(row, made[row["notification_id"]]))))


def _view(row: asyncpg.Record, calls: list[AttemptView]) -> NotificationView:
    told = {**dict(row), "outcome": outcome_of(NotificationState(row["state"])), "calls": calls}
    return NotificationView.model_validate(told)
