"""`/v1/sending`: modes of the installation and of clinics, switched by command and audited.

A switch counts for every call that has not begun: the claiming transaction reads these rows (design §6).
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from chassis.api.app import Problem, refuses
from chassis.api.if_match import version_of
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.gate.domain.facts import SendingModeName
from notifier.staff.sending_modes.bodies import (
    ChangePage,
    ClinicBody,
    ClinicSendingView,
    IfMatch,
    ModeBody,
    SendingView,
)
from notifier.staff.sending_modes.domain import BadChoice
from notifier.staff.sending_modes.store import SendingDesk
from schemas.model import ClinicId

PAGE, LONGEST_PAGE = 50, 500
HIGHEST = 2**63 - 1
_CHOICE_CODES = ("BAD_VERSION", "TOO_MANY", "BAD_ADDRESS", "BAD_CHANNEL", "BAD_WINDOW", "BAD_TIME")


def routes(pool: Pool, clock: Clock, setting: SendingModeName, wake: Callable[[], None], operator: Any) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["sending modes"], dependencies=[Depends(operator)])
    desk = SendingDesk(pool, clock, setting)

    async def switched[T](work: Awaitable[T]) -> T:
        try:
            done = await work
        except BadChoice as bad:
            raise Problem(422, bad.code, bad.message, [{"place": bad.place, "code": bad.code}]) from None
        wake()
        return done

    @router.get("/sending", summary="The installation's sending mode, and what waits")
    async def get_sending() -> SendingView:
        return await desk.installation()

    @router.put(
        "/sending",
        summary="Switch the installation's sending mode",
        responses=refuses({412: ("VERSION_CHANGED",), 422: ("BAD_VERSION",)}),
    )
    async def put_sending(body: ModeBody, if_match: IfMatch = None) -> SendingView:
        return await switched(desk.set_installation(body, version_of(if_match)))

    @router.get("/sending/changes", summary="Who changed what about sending, newest first")
    async def get_sending_changes(
        clinic: ClinicId | None = None,
        before: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
    ) -> ChangePage:
        return await desk.changes(clinic, before, limit)

    @router.get("/clinics/{clinic_id}/sending", summary="What a clinic has chosen about sending")
    async def get_clinic_sending(clinic_id: ClinicId) -> ClinicSendingView:
        return await desk.clinic(clinic_id)

    @router.put(
        "/clinics/{clinic_id}/sending",
        summary="Choose for a clinic, whole",
        responses=refuses({412: ("VERSION_CHANGED",), 422: _CHOICE_CODES}),
    )
    async def put_clinic_sending(clinic_id: ClinicId, body: ClinicBody, if_match: IfMatch = None) -> ClinicSendingView:
        return await switched(desk.set_clinic(clinic_id, body, version_of(if_match)))

    return router
