"""The read API: what became of each message, and of each call (R25)."""

from typing import Annotated, Any
from uuid import UUID

import asyncpg
from fastapi import APIRouter, Depends, Query

from notifier.ledger.bodies import NotificationList
from notifier.ledger.history import find


def routes(pool: asyncpg.Pool, operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(operator)])

    @router.get("/notifications", tags=["notifications"], summary="What became of each message about an appointment")
    async def notifications(appointment: Annotated[UUID, Query()]) -> NotificationList:
        return await find(pool, appointment)

    return router
