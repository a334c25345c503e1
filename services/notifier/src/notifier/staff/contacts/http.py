"""`GET /v1/contacts/quality`: patients with visits ahead who cannot be reached, and why (B12)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from chassis.api.app import refuses
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.staff.contacts.bodies import Filters, Quality
from notifier.staff.contacts.store import find
from notifier.values.addresses import Peppers


def routes(pool: Pool, clock: Clock, peppers: Peppers, operator: Any) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1/contacts", tags=["contacts"], dependencies=[Depends(operator)])

    @router.get(
        "/quality",
        summary="Patients with visits ahead who cannot be reached, soonest visit first",
        responses=refuses({422: ("BAD_CURSOR",)}),
    )
    async def get_contact_quality(filters: Annotated[Filters, Query()]) -> Quality:
        async with pool.acquire() as connection:
            return await find(connection, peppers, filters, clock.now())

    return router
