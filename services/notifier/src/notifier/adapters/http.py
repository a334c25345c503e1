"""The read API and preferences: what became of each message, and what patients want (R23, R25)."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, StrictBool

from chassis.clock import Clock
from chassis.database import unavailable
from chassis.http import Problem
from notifier.adapters import sql
from notifier.domain.states import State, outcome_of
from schemas.notifications import Channel, Kind, Outcome
from schemas.reminders import Reason


class AttemptView(BaseModel):
    """One call to a carrier, as written down before and after it. `attempt_id` is the carrier's reference."""

    attempt_id: UUID
    ordinal: int
    channel: Channel
    gated_version: int
    gated_at: datetime
    answered_at: datetime | None
    outcome: str | None
    code: str | None


class NotificationView(BaseModel):
    """One message to one recipient. `outcome` is null while it is still being worked on."""

    notification_id: UUID
    appointment_id: UUID
    kind: Kind
    recipient: str
    state: State
    outcome: Outcome | None
    channel: Channel | None
    reason: Reason | None
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


class PreferencesBody(BaseModel):
    """The channels a patient leaves on. All three are to be given."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"whatsapp": False, "sms": True, "email": True}}
    )

    whatsapp: StrictBool
    sms: StrictBool
    email: StrictBool


class PreferencesView(PreferencesBody):
    """The preferences as they are held; `version` rises with every change."""

    model_config = ConfigDict(extra="ignore")

    patient_id: UUID
    version: int


def routes(pool: asyncpg.Pool, clock: Clock, operator: Any) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        clock: Domain time.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1", dependencies=[Depends(operator)])

    @router.get("/notifications", tags=["notifications"], summary="What became of each message about an appointment")
    async def notifications(appointment: Annotated[UUID, Query()]) -> NotificationList:
        return await find(pool, appointment)

    @router.put("/patients/{patient_id}/preferences", tags=["preferences"], summary="Say which channels stay on")
    async def put_preferences(patient_id: UUID, body: PreferencesBody) -> PreferencesView:
        with unavailable():
            version = await pool.fetchval(
                sql.PUT_PREFERENCES, patient_id, body.whatsapp, body.sms, body.email, clock.now()
            )
        return PreferencesView(patient_id=patient_id, version=version, **body.model_dump())

    @router.get("/patients/{patient_id}/preferences", tags=["preferences"], summary="Which channels are on")
    async def get_preferences(patient_id: UUID) -> PreferencesView:
        with unavailable():
            row = await pool.fetchrow(sql.GET_PREFERENCES, patient_id)
        if row is None:
            raise Problem(404, "NO_PREFERENCES", "Nothing was said: SMS if there is a mobile, else email.")
        return PreferencesView(patient_id=patient_id, **dict(row))

    return router


async def find(pool: asyncpg.Pool, appointment_id: UUID) -> NotificationList:
    """Return every message about an appointment with its calls.

    Raises:
        Unavailable: The database cannot answer now.
    """
    with unavailable():
        rows = await pool.fetch(sql.FIND_NOTIFICATIONS, appointment_id)
        calls = await pool.fetch(sql.FIND_ATTEMPTS, [row["notification_id"] for row in rows])
    made: dict[UUID, list[AttemptView]] = {row["notification_id"]: [] for row in rows}
    for call in calls:
        made[call["notification_id"]].append(AttemptView.model_validate(dict(call)))
    return NotificationList(
        items=[
            NotificationView(**dict(row), outcome=outcome_of(State(row["state"])), calls=made[row["notification_id"]])
            for row in rows
        ]
    )
