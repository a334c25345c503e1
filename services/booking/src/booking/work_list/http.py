"""`GET /v1/visit-flags`: what staff should look at of visits; `POST …/done`: that somebody did."""

from operator import itemgetter
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Source, body_schema, problem
from booking.door.commands import run_command
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.values import texts
from booking.values.refusals import Refused
from booking.work_list.bodies import DoneBody, FlagCode, FlagDone, FlagPage, State
from booking.work_list.store import done, flags
from chassis.api.app import Problem, answers, refuses
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Connection, Pool

LONGEST_PAGE = 1_000

FlagId = Annotated[int, Path(ge=1, lt=2**63)]
_EXAMPLE = {"looked into": {"by": "front desk", "note": "the practice was called; the visit took place"}}


def routes(transactions: Transactions, reads: Pool, reader: Caller) -> APIRouter:
    """Return the routes. A client sees the flags of its visits; the operator sees all."""
    router = APIRouter(prefix="/v1/visit-flags", tags=["work list"])

    @router.get(
        "",
        summary="What staff should look at of visits, newest first",
        responses={
            **answers(FlagPage),
            **refuses({403: ("FOREIGN_SOURCE", "FOREIGN_CLINIC"), 422: ("PADDED_ID", "CONTROL_CHARACTER")}),
        },
    )
    async def list_visit_flags(
        client: Annotated[Client, Depends(reader)],
        clinic: Annotated[str | None, Query(max_length=10, description="Of this clinic's visits alone.")] = None,
        source: Source = None,
        code: Annotated[FlagCode | None, Query(description="Of this kind alone.")] = None,
        state: Annotated[State, Query(description="`open`: those that wait.")] = "open",
        after: Annotated[int | None, Query(ge=1, lt=2**63, description="`next_after` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> dict[str, Any]:
        """Each is of a visit that the caller sees, with the visit as it is now. No names, no contacts."""
        try:
            sources = client.seen_sources
            if source is not None:
                sources = [client.source(texts.identifier(source, "source"))]
            if clinic is not None:
                client.check_clinic(clinic, "clinic")
        except Refused as refusal:
            raise problem(refusal) from None
        items = await flags(reads, sources, client.seen_clinics, clinic, code, state, after, limit)
        return {"items": items, "next_after": next_place(items, limit, itemgetter("flag_id"))}

    @router.post(
        "/{flag_id}/done",
        summary="Say that somebody looked into it",
        responses={**answers(FlagDone), **refuses({400: BAD_BODY, 404: ("UNKNOWN_FLAG",), 422: BAD_FIELD})},
        openapi_extra=body_schema(DoneBody, _EXAMPLE, "Who did, and what came of it."),
    )
    async def do_visit_flag(
        request: Request, flag_id: FlagId, client: Annotated[Client, Depends(reader)]
    ) -> dict[str, Any]:
        """Takes it off the list, and keeps who and when. One that is done already stays as it is."""

        async def story(connection: Connection, body: DoneBody) -> dict[str, Any] | None:
            by = texts.name(body.by, "by")
            note = None if body.note is None else texts.name(body.note, "note")
            return await done(connection, client, flag_id, by, note, transactions.clock.now())

        found = await run_command(transactions, request, DoneBody, story)
        if found is None:
            raise Problem(404, "UNKNOWN_FLAG", "No such flag, or none of a visit of this client.")
        return found

    return router
