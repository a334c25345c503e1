"""What patients say about channels: versioned, with the whole history, and as it was at any instant (R23, B13).

The ledger's attempts carry the version that their gate saw, so what was said when a message left can be shown.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query

from chassis.api.app import Problem, refuses
from chassis.api.client_access import OF_PATIENT, ClientAccess
from chassis.api.if_match import version_of
from chassis.api.patient_access import OfPatient, Whose, by_name, by_our_id
from chassis.api.query_fields import Moment
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.staff.preferences.bodies import (
    PreferencesBody,
    PreferencesHistory,
    PreferencesPatch,
    PreferencesView,
)
from notifier.staff.preferences.store import Change, Changed, all_said, as_of, put

PATHS = ("/v1/patients/{patient_id}/preferences", "/v1/patients/preferences")
OPEN_TO_CLIENTS = (
    *((method, path) for path in PATHS for method in ("GET", "PUT", "PATCH")),
    *(("GET", f"{path}/history") for path in PATHS),
)
"""Of patients whom the client may write (decision 0048)."""


def routes(pool: Pool, clock: Clock, access: ClientAccess, changed: Changed) -> APIRouter:
    """Return the routes, by our id of the patient and by what a source calls him."""
    router = APIRouter(tags=["preferences"])
    for path, by, whose in zip(PATHS, ("", "_by_name"), (by_our_id(access), by_name(access)), strict=True):
        router.include_router(_routes(path, by, pool, clock, whose, changed))
    return router


def _routes(path: str, by_what: str, pool: Pool, clock: Clock, whose: Whose, changed: Changed) -> APIRouter:
    router = APIRouter(prefix=path, responses=refuses(OF_PATIENT))

    async def say(of: OfPatient, change: Change, by: str | None, if_match: str | None) -> PreferencesView:
        return await put(pool, of.patient_id, change, of.asker.by(by), version_of(if_match), clock.now(), changed)

    @router.put(
        "",
        name=f"put_preferences{by_what}",
        summary="Say which channels stay on; the same again changes nothing",
        responses=refuses({412: ("VERSION_CHANGED",), 422: ("BAD_VERSION", *OF_PATIENT[422])}),
    )
    async def put_preferences(
        of: Annotated[OfPatient, Depends(whose)],
        body: PreferencesBody,
        if_match: Annotated[str | None, Header()] = None,
    ) -> PreferencesView:
        return await say(of, lambda _: body.said, body.by, if_match)

    @router.patch(
        "",
        name=f"patch_preferences{by_what}",
        summary="Switch one channel on or off, and leave the others as they are",
        responses=refuses({412: ("VERSION_CHANGED",), 422: ("BAD_VERSION", *OF_PATIENT[422])}),
    )
    async def patch_preferences(
        of: Annotated[OfPatient, Depends(whose)],
        body: PreferencesPatch,
        if_match: Annotated[str | None, Header()] = None,
    ) -> PreferencesView:
        """JSON Merge Patch (RFC 7396). Where nothing was said before, it changes what counts then: SMS and email on."""
        return await say(of, body.merged, body.by, if_match)

    @router.get(
        "",
        name=f"get_preferences{by_what}",
        summary="Which channels are on, or were at an instant or in a version",
        responses=refuses({404: ("NO_PREFERENCES", *OF_PATIENT[404])}),
    )
    async def get_preferences(
        of: Annotated[OfPatient, Depends(whose)],
        at: Annotated[Moment | None, Query(description="As of this instant; ISO 8601 with offset.")] = None,
        version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> PreferencesView:
        said = await as_of(pool, of.patient_id, at, version)
        if said is None:
            raise Problem(404, "NO_PREFERENCES", "Nothing was said then: SMS if there is a mobile, else email.")
        return said

    @router.get(
        "/history",
        name=f"get_preferences_history{by_what}",
        summary="Everything that was ever said, newest first",
    )
    async def history(of: Annotated[OfPatient, Depends(whose)]) -> PreferencesHistory:
        return await all_said(pool, of.patient_id)

    return router
