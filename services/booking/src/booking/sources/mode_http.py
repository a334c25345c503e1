"""`/v1/sources/{source}/transitions`: whether steps that the state table lacks are taken or refused (R33, 0052)."""

from datetime import datetime
from operator import itemgetter
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Order, Text, body_schema, problem
from booking.door.commands import run_command
from booking.door.domain import OPERATOR, Client
from booking.door.transactions import Transactions
from booking.sources.domain import ModeChange, StepMode
from booking.sources.store import keep_mode, modes_of
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Connection, Pool

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LONGEST_PAGE = 1_000


class StepModeBody(Order):
    """How the steps of a source are judged from now on, and why."""

    mode: StepMode = Field(description="`observe`: taken, with a warning. `enforce`: refused, 409 ILLEGAL_TRANSITION.")
    reason: Text | None = Field(default=None, description="Why it changes; kept with the change.")


class StepModeView(BaseModel):
    """How the steps of a source are judged; without a change it was never said, and is `observe`."""

    source: str = Field(description="Whose steps.", examples=["local"])
    mode: StepMode = Field(description="What holds now.", examples=["enforce"])
    changed_at: datetime | None = Field(description="Since when; null: ever.", examples=["2027-03-01T09:00:00Z"])
    changed_by: str | None = Field(description="By whose word: a client, or `operator`.", examples=["operator"])
    reason: str | None = Field(description="Why, if that was said.", examples=["a month without a warning"])


class StepModeAnswer(StepModeView):
    """What holds after the request."""

    changed: bool = Field(description="False: it was so already, and nothing was written.", examples=[True])


class StepModeChangeView(BaseModel):
    """That a mode was given, when, by whose word and why."""

    change_id: int = Field(description="Rises with each change.", examples=[7])
    mode: StepMode = Field(description="What held from then on.", examples=["enforce"])
    changed_at: datetime = Field(description="From when on.", examples=["2027-03-01T09:00:00Z"])
    changed_by: str = Field(description="A client, or `operator`.", examples=["operator"])
    reason: str | None = Field(description="Why, if that was said.", examples=["a month without a warning"])


class StepModeChangePage(BaseModel):
    """Changes, newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[StepModeChangeView] = Field(description="Each change that was ever made, and who made it.")
    next_before: int | None = Field(description="Null on the last page.", examples=[None])


def routes(transactions: Transactions, reads: Pool, reader: Caller) -> APIRouter:
    """Return the routes below those of the sources. A client asks of its own sources, the operator of any."""
    own = refuses({403: ("FOREIGN_SOURCE",), 422: ("PADDED_ID", "CONTROL_CHARACTER")})
    router = APIRouter(prefix="/{source}/transitions", responses=own)

    @router.get("", summary="How strictly the steps of a source are judged", responses=answers(StepModeView))
    async def get_transitions(
        source: Annotated[str, Path()], client: Annotated[Client, Depends(reader)]
    ) -> StepModeView:
        """The mode that holds, since when, and who said so."""
        named = _named(client, source)
        return _view(named, await modes_of(reads, named))

    @router.put(
        "",
        summary="Refuse, or only observe, what the state table lacks",
        responses={
            **answers(StepModeAnswer),
            **refuses(
                {
                    400: BAD_BODY,
                    403: ("FOREIGN_SOURCE", "FOREIGN_CLINIC", "MAY_NOT_MANAGE_CLINICS"),
                    422: (*BAD_FIELD, "UNKNOWN_MODE", "PADDED_ID"),
                }
            ),
        },
        openapi_extra=body_schema(
            StepModeBody,
            {"enforce": {"mode": "enforce", "reason": "a month without a warning"}},
            "The mode.",
        ),
    )
    async def put_transitions(
        request: Request, source: Annotated[str, Path()], client: Annotated[Client, Depends(reader)]
    ) -> StepModeAnswer:
        """It holds for every event that is taken from now on. The same again writes nothing.

        For the operator, or a client of that source that may manage clinics and is limited to none. Each change
        is a row that nobody changes.
        """

        async def keep(connection: Connection, body: StepModeBody) -> StepModeAnswer:
            if client is not OPERATOR:
                client.check_may_judge_steps()
            named = client.source(texts.identifier(source, "source"))
            reason = None if body.reason is None else texts.name(body.reason, "reason")
            before = _view(named, await modes_of(connection, named))
            if before.mode is body.mode:
                return StepModeAnswer(**dict(before), changed=False)
            await keep_mode(connection, named, body.mode, client.client_id, reason, transactions.clock.now())
            return StepModeAnswer(**dict(_view(named, await modes_of(connection, named))), changed=True)

        answer = await run_command(transactions, request, StepModeBody, keep)
        if answer.changed:
            log.info("source.transitions", mode=answer.mode, client=client.client_id)
        return answer

    @router.get(
        "/changes", summary="Who judged a source how, from when on, newest first", responses=answers(StepModeChangePage)
    )
    async def get_transition_changes(
        source: Annotated[str, Path()],
        client: Annotated[Client, Depends(reader)],
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="`next_before` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> dict[str, Any]:
        """Of a source of the client's; the operator asks of any."""
        items = [change._asdict() for change in await modes_of(reads, _named(client, source), before, limit)]
        return {"items": items, "next_before": next_place(items, limit, itemgetter("change_id"))}

    return router


def _named(client: Client, source: str) -> str:
    try:
        return client.source(texts.identifier(source, "source"))
    except Refused as refusal:
        raise problem(refusal) from None


def _view(source: str, newest: list[ModeChange]) -> StepModeView:
    if not newest:
        return StepModeView(source=source, mode=StepMode.OBSERVE, changed_at=None, changed_by=None, reason=None)
    change = newest[0]
    return StepModeView(
        source=source,
        mode=change.mode,
        changed_at=change.changed_at,
        changed_by=change.changed_by,
        reason=change.reason,
    )
