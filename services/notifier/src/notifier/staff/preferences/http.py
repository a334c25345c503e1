"""What patients say about channels: versioned, with the whole history, and as it was at any instant (R23, B13).

The ledger's attempts carry the version that their gate saw, so what was said when a message left can be shown.
"""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query

from chassis.api.app import Problem, refuses
from chassis.api.if_match import version_of
from chassis.api.query_fields import Moment
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.staff.preferences.bodies import PreferencesBody, PreferencesHistory, PreferencesView
from notifier.staff.preferences.store import Changed, all_said, as_of, put


def routes(pool: Pool, clock: Clock, operator: Any, changed: Changed) -> APIRouter:
    """Return the routes."""
    router = APIRouter(
        prefix="/v1/patients/{patient_id}/preferences", tags=["preferences"], dependencies=[Depends(operator)]
    )

    @router.put(
        "",
        summary="Say which channels stay on; the same again changes nothing",
        responses=refuses({412: ("VERSION_CHANGED",), 422: ("BAD_VERSION",)}),
    )
    async def put_preferences(
        patient_id: UUID, body: PreferencesBody, if_match: Annotated[str | None, Header()] = None
    ) -> PreferencesView:
        return await put(pool, patient_id, body, version_of(if_match), clock.now(), changed)

    @router.get(
        "",
        summary="Which channels are on, or were at an instant or in a version",
        responses=refuses({404: ("NO_PREFERENCES",)}),
    )
    async def get_preferences(
        patient_id: UUID,
        at: Annotated[Moment | None, Query(description="As of this instant; ISO 8601 with offset.")] = None,
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> PreferencesView:
        said = await as_of(pool, patient_id, at, version)
        if said is None:
            raise Problem(404, "NO_PREFERENCES", "Nothing was said then: SMS if there is a mobile, else email.")
        return said

    @router.get("/history", summary="Everything that was ever said, newest first")
    async def get_preferences_history(patient_id: UUID) -> PreferencesHistory:
        return await all_said(pool, patient_id)

    return router
