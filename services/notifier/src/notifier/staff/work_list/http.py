"""`/v1/work-list`: what waits for a person, and what he may do with it (B12, B11)."""

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from chassis.api.app import Problem, refuses
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.plain_english import reason_words
from notifier.staff.work_list.bodies import Beginning, ByBody, Filters, Named, SettleBody, WorkList
from notifier.staff.work_list.domain import Act
from notifier.staff.work_list.handle import Desk, Done, GateShut, NotListed, Wish, act
from notifier.staff.work_list.store import find, named


def routes(
    pool: Pool, desk: Desk, clock: Clock, sending: SendingMode, wake: Callable[[], None], operator: Any
) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/work-list", tags=["work list"], dependencies=[Depends(operator)])

    async def done(notification_id: UUID, wish: Act, by: str, arrived: bool | None = None) -> Done:
        try:
            told = await act(desk, notification_id, Wish(wish, by, arrived), sending, clock.now())
        except GateShut as shut:
            errors = [{"place": "gate", "code": shut.reason.value}]
            raise Problem(409, shut.code, f"It would never leave: {reason_words(shut.reason)}.", errors) from None
        except NotListed as not_listed:
            raise Problem(409, not_listed.code, not_listed.message) from None
        wake()
        return told

    @router.get(
        "",
        summary="Messages that wait for a person, soonest visit first; and patients' open replies",
        responses=refuses({422: ("BAD_CURSOR",)}),
    )
    async def get_work_list(filters: Annotated[Filters, Query()]) -> WorkList:
        return await find(pool, filters, clock.now())

    @router.get("/named", summary="Messages whose ids begin so, on the list or not, and what was done with each")
    async def get_messages_named(asked: Annotated[Beginning, Query()]) -> Named:
        return await named(pool, asked)

    @router.post(
        "/{notification_id}/resend",
        summary="Send it again: a new message, gated as ever",
        responses=refuses({409: ("NOT_ON_LIST", "GATE_SHUT")}),
    )
    async def resend_message(notification_id: UUID, body: ByBody) -> Done:
        return await done(notification_id, Act.RESEND, body.by)

    @router.post(
        "/{notification_id}/drop",
        summary="Take it off the list; an unknown one has failed then",
        responses=refuses({409: ("NOT_ON_LIST",)}),
    )
    async def drop_message(notification_id: UUID, body: ByBody) -> Done:
        return await done(notification_id, Act.DROP, body.by)

    @router.post(
        "/{notification_id}/settle",
        summary="Say whether a message of unknown outcome arrived",
        responses=refuses({409: ("NOT_ON_LIST",)}),
    )
    async def settle_message(notification_id: UUID, body: SettleBody) -> Done:
        return await done(notification_id, Act.SETTLE, body.by, body.arrived)

    return router
