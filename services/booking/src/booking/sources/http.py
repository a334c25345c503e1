"""`/v1/sources/{source}`: its count of events begins anew, and its steps are judged otherwise, by word of a person."""

from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Order, Text, body_schema, problem
from booking.door.commands import run_command
from booking.door.domain import OPERATOR, Client
from booking.door.transactions import Transactions
from booking.sources import mode_http
from booking.sources.store import keep_restart, restarts_of
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Connection, Pool

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LONGEST_PAGE = 1_000


class RestartBody(Order):
    """Why the count began anew."""

    reason: Text


class Restarted(BaseModel):
    """That the count began anew, from when on."""

    restart_id: int
    source: str
    restarted_at: datetime


class RestartView(BaseModel):
    """When a source began to count anew, by whose word and why."""

    restart_id: int
    restarted_at: datetime
    restarted_by: str
    reason: str


class RestartPage(BaseModel):
    """Restarts, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[RestartView]
    next_before: int | None


def routes(transactions: Transactions, reads: Pool, reader: Caller) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/sources", tags=["sources"])
    clock = transactions.clock
    example = {"restart": {"reason": "the practice system was restored from a backup"}}

    @router.post(
        "/{source}/restart",
        summary="Accept that a source counts its events anew",
        responses={
            **answers(Restarted),
            **refuses(
                {400: BAD_BODY, 403: ("FOREIGN_SOURCE", "MAY_NOT_MANAGE_CLINICS"), 422: (*BAD_FIELD, "PADDED_ID")}
            ),
        },
        openapi_extra=body_schema(RestartBody, example, "Why."),
    )
    async def restart_source(
        request: Request, source: Annotated[str, Path()], client: Annotated[Client, Depends(reader)]
    ) -> dict[str, Any]:
        """From now on sequences of before do not compare with those that come: their times do, else their arrival.

        For the operator, or a client of that source that may manage clinics. Each restart is a row that nobody changes.
        """

        async def keep(connection: Connection, body: RestartBody) -> tuple[int, datetime]:
            if client is not OPERATOR:
                client.check_may_manage_clinics()
            named = client.source(texts.identifier(source, "source"))
            now = clock.now()
            return await keep_restart(connection, named, client.client_id, texts.name(body.reason, "reason"), now), now

        number, at = await run_command(transactions, request, RestartBody, keep)
        log.info("source.restarted", restart_id=number, client=client.client_id)
        return {"restart_id": number, "source": source, "restarted_at": at}

    @router.get(
        "/{source}/restarts",
        summary="When a source began to count anew, by whose word and why, newest first",
        responses={
            **answers(RestartPage),
            **refuses({403: ("FOREIGN_SOURCE",), 422: ("PADDED_ID", "CONTROL_CHARACTER")}),
        },
    )
    async def get_restarts(
        source: Annotated[str, Path()],
        client: Annotated[Client, Depends(reader)],
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="`next_before` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> dict[str, Any]:
        """Of a source of the client's; the operator asks of any."""
        try:
            named = client.source(texts.identifier(source, "source"))
        except Refused as refusal:
            raise problem(refusal) from None
        items = await restarts_of(reads, named, before, limit)
        return {"items": items, "next_before": next_place(items, limit, itemgetter("restart_id"))}

    router.include_router(mode_http.routes(transactions, reads, reader))
    return router
