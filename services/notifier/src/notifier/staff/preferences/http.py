"""What patients say about channels: versioned, with the whole history, and as it was at any instant (R23, B13).

The ledger's attempts carry the version that their gate saw, so what was said when a message left can be shown.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, StrictBool

from chassis.asked import By, Moment
from chassis.clock import Clock
from chassis.database import unavailable
from chassis.http import Problem
from notifier.staff.if_match import check_version, version_of
from notifier.staff.preferences import statements as sql

LONGEST_HISTORY = 1_000


class PreferencesBody(BaseModel):
    """The channels a patient leaves on. All three are to be given."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"whatsapp": False, "sms": True, "email": True}}
    )

    whatsapp: StrictBool
    sms: StrictBool
    email: StrictBool
    by: By = "operator"


class PreferencesView(BaseModel):
    """One version of a patient's preferences; `version` rises with every change."""

    patient_id: UUID
    version: int
    whatsapp: bool
    sms: bool
    email: bool
    changed_at: datetime
    changed_by: str


class PreferencesHistory(BaseModel):
    """Every version, newest first."""

    items: list[PreferencesView]


def routes(pool: asyncpg.Pool, clock: Clock, operator: Any) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        clock: Domain time.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(
        prefix="/v1/patients/{patient_id}/preferences", tags=["preferences"], dependencies=[Depends(operator)]
    )

    @router.put("", summary="Say which channels stay on; the same again changes nothing")
    async def put_preferences(
        patient_id: UUID, body: PreferencesBody, if_match: Annotated[str | None, Header()] = None
    ) -> PreferencesView:
        return await put(pool, patient_id, body, version_of(if_match), clock.now())

    @router.get("", summary="Which channels are on, or were at an instant or in a version")
    async def get_preferences(
        patient_id: UUID,
        at: Annotated[Moment | None, Query(description="As of this instant; ISO 8601 with offset.")] = None,
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> PreferencesView:
        with unavailable():
            row = await pool.fetchrow(sql.AS_OF, patient_id, at, version)
        if row is None:
            raise Problem(404, "NO_PREFERENCES", "Nothing was said then: SMS if there is a mobile, else email.")
        return PreferencesView.model_validate(dict(row))

    @router.get("/history", summary="Everything that was ever said, newest first")
    async def history(patient_id: UUID) -> PreferencesHistory:
        with unavailable():
            rows = await pool.fetch(sql.HISTORY, patient_id, LONGEST_HISTORY)
        return PreferencesHistory(items=[PreferencesView.model_validate(dict(row)) for row in rows])

    return router


async def put(
    pool: asyncpg.Pool, patient_id: UUID, body: PreferencesBody, version: int | None, now: datetime
) -> PreferencesView:
    """Write down what a patient says, with its line in the history in the same transaction.

    Raises:
        Problem: 412 VERSION_CHANGED.
        Unavailable: The database cannot answer now.
    """
    said = (body.whatsapp, body.sms, body.email)
    with unavailable():
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(sql.ONE_AT_A_TIME, str(patient_id))
            held = await connection.fetchrow(sql.AS_OF, patient_id, None, None)
            check_version(version, held["version"] if held else 0)
            if held and (held["whatsapp"], held["sms"], held["email"]) == said:
                return PreferencesView.model_validate(dict(held))
            [row] = await connection.fetch(sql.PUT, patient_id, *said, now, body.by)
    return PreferencesView.model_validate(dict(row))
