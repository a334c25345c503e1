"""The read API: what became of each message, and of each call (R25)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.api.app import Problem, refuses
from chassis.api.client_access import AWAY, NAMING, Asker, ClientAccess
from chassis.postgres.database import Pool
from notifier.ledger.bodies import NotificationList
from notifier.ledger.store.rows import find

OPEN_TO_CLIENTS = (("GET", "/v1/notifications"),)
"""What an API client may ask here, of its own sources and clinics (decision 0048)."""


def routes(pool: Pool, access: ClientAccess) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1")

    @router.get(
        "/notifications",
        tags=["notifications"],
        summary="What became of each message about an appointment",
        responses=refuses({422: ("NO_FILTER", *NAMING), 503: AWAY}),
    )
    async def get_notifications(
        asker: Annotated[Asker, Depends(access)],
        appointment: Annotated[UUID | None, Query(description="Our id of the appointment.")] = None,
        source: Annotated[
            str | None, Query(max_length=200, description="With `id`. Left out: the client's only source.")
        ] = None,
        id: Annotated[str | None, Query(max_length=200, description="What the source calls it.")] = None,  # its word
    ) -> NotificationList:
        """To the patient and to the provider, oldest first; empty for a visit that the caller does not see."""
        visit = await asker.visit(appointment, source, id)
        if visit is None:
            raise Problem(422, "NO_FILTER", "Name the visit: by appointment, or by id with its source.")
        return await find(pool, visit)

    return router
