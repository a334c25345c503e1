"""The read API: which sub-files there are, and which wait for a main file (R9, D5)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from chassis.api.app import refuses
from chassis.postgres.database import Pool
from records.adapters.pages import Filters, SubFilePage, find


def routes(pool: Pool, operator: Any) -> APIRouter:
    """Return the read API's routes."""
    router = APIRouter(prefix="/v1", tags=["sub-files"], dependencies=[Depends(operator)])

    @router.get(
        "/subfiles",
        summary="Sub-files of a patient, an appointment or a clinic; or all parked ones",
        responses=refuses({422: ("NO_FILTER",)}),
    )
    async def get_subfiles(filters: Annotated[Filters, Query()]) -> SubFilePage:
        return await find(pool, filters)

    return router
