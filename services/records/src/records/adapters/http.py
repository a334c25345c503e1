"""The read API: which sub-files there are, and which wait for a main file (R9, D5)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from chassis.api.app import refuses
from chassis.api.client_access import AWAY, NAMING, Asker, ClientAccess
from chassis.postgres.database import Pool
from records.adapters.pages import Filters, SubFilePage, find, find_own

OPEN_TO_CLIENTS = (("GET", "/v1/subfiles"),)
"""What an API client may ask here, of its own sources and clinics (decision 0048)."""


def routes(pool: Pool, access: ClientAccess) -> APIRouter:
    """Return the read API's routes."""
    router = APIRouter(prefix="/v1", tags=["sub-files"])

    @router.get(
        "/subfiles",
        summary="Sub-files of a patient, an appointment or a clinic; or all parked ones",
        responses=refuses({422: ("NO_FILTER", *NAMING), 503: AWAY}),
    )
    async def get_subfiles(
        filters: Annotated[Filters, Query()], asker: Annotated[Asker, Depends(access)]
    ) -> SubFilePage:
        """A client sees the file of its own visit, and in lists those that were opened by visits of its own.

        Such a list is of a patient, or of a clinic that the client sees, and as if there were no others.
        """
        visit = await asker.visit(filters.appointment, filters.source, filters.id)
        if visit is None and not asker.is_operator:
            return await find_own(pool, filters, asker)
        return await find(pool, filters.model_copy(update={"appointment": visit}))

    return router
