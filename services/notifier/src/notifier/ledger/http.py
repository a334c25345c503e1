"""The read API: what became of each message, and of each call (R25)."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.postgres.database import Pool
from notifier.ledger.bodies import NotificationList
from notifier.ledger.store.rows import find


def routes(pool: Pool, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(operator)])

    @router.get("/notifications", tags=["notifications"], summary="What became of each message about an appointment")
    async def get_notifications(appointment: Annotated[UUID, Query()]) -> NotificationList:
        return await find(pool, appointment)

    return router
