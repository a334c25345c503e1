"""`POST /v1/appointments/cancel` and `/move`: many visits at once; `GET /v1/desk-changes`: who asked for what."""

from operator import itemgetter
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request

from booking.desk.bodies import CancelBody, DeskAnswer, DeskChanges, MoveBody, WhichBody, shift_of
from booking.desk.domain import REASONS, Act, Wish
from booking.desk.intake import MOST_VISITS, DeskIntake
from booking.desk.store import changes_of
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema, problem, read
from booking.door.domain import OPERATOR, Client
from booking.door.strict_json import canonical_hash, strict_json
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import Problem, refuses
from chassis.api.page_cursor import next_place

LONGEST_PAGE = 1_000
"""Visits that one request carries out: one transaction."""

LONGEST_KEY = 150
"""Of an order: with an appointment's id it is the key of that visit's command."""

_BY_DAY = {
    "event_id": "day-1",
    "clinic": "CARDIO",
    "day": "2027-03-12",
    "reason": "Dr Adeyemi is ill",
    "by": "front desk",
}
_BY_IDS = {"event_id": "two-1", "ids": ["01a2b3c4-0000-7000-8000-000000000001"]}
_CANCEL = {"a day": _BY_DAY, "ids": _BY_IDS, "dry run": {**_BY_DAY, "dry_run": True}}
_MOVE = {"to another day": {**_BY_DAY, "to_day": "2027-03-15"}, "half an hour later": {**_BY_IDS, "by_minutes": 30}}

Key = Annotated[str | None, Header(alias="Idempotency-Key", description="Or `event_id` in the body.")]
After = Annotated[int, Query(ge=0, le=MOST_VISITS, description="`next_after` of the answer before.")]
Limit = Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="Visits of one answer.")]


_REFUSES = refuses(
    {
        400: BAD_BODY,
        403: ("OPERATOR_BOOKS_NOTHING", "FOREIGN_CLINIC", "FOREIGN_SOURCE"),
        404: ("UNKNOWN_PROVIDER",),
        409: ("EVENT_ID_CONFLICT",),
        413: ("BATCH_TOO_LARGE",),
        422: (
            *(*BAD_FIELD, "UNKNOWN_STATUS", "WHICH_VISITS", "WHERE_TO", "BAD_DAY", "TIME_OUT_OF_RANGE"),
            *("UNKNOWN_CLINIC", "ILLEGAL_CLINIC_CODE", "SOURCE_REQUIRED", "PADDED_ID"),
        ),
    }
)


def routes(desk: DeskIntake, reader: Caller) -> APIRouter:
    """Return the routes. They are for clients: the operator's key books nothing."""
    router = APIRouter(prefix="/v1", tags=["events"])

    async def take(
        request: Request, client: Client, model: type[WhichBody], act: Act, key: str | None, after: int, limit: int
    ) -> DeskAnswer:
        if client is OPERATOR:
            raise Problem(
                403, "OPERATOR_BOOKS_NOTHING", "The operator's key books nothing: use a client's (`attend key`)."
            )
        content = await request.body()
        try:
            value = strict_json(content)
            body = read(model, value)
            return await desk.take(_wish(body, act, client, key, canonical_hash(value)), body, after, limit)
        except Refused as refusal:
            desk.transactions.counts.refused(refusal)
            raise problem(refusal) from None

    @router.post(
        "/appointments/cancel",
        summary="Cancel many visits",
        responses=_REFUSES,
        openapi_extra=body_schema(CancelBody, _CANCEL, "Which, by whom and why."),
    )
    async def cancel_appointments(
        request: Request,
        client: Annotated[Client, Depends(reader)],
        key: Key = None,
        after: After = 0,
        limit: Limit = LONGEST_PAGE,
    ) -> DeskAnswer:
        """Cancel visits ahead; each is answered for itself. The same order again changes nothing more."""
        return await take(request, client, CancelBody, Act.CANCEL, key, after, limit)

    @router.post(
        "/appointments/move",
        summary="Move many visits",
        responses=_REFUSES,
        openapi_extra=body_schema(MoveBody, _MOVE, "Which, where to, by whom and why."),
    )
    async def move_appointments(
        request: Request,
        client: Annotated[Client, Depends(reader)],
        key: Key = None,
        after: After = 0,
        limit: Limit = LONGEST_PAGE,
    ) -> DeskAnswer:
        """Move visits ahead by the clock at the clinic; each is answered for itself, and keeps its length."""
        return await take(request, client, MoveBody, Act.MOVE, key, after, limit)

    @router.get("/desk-changes", tags=["reading"], summary="Who cancelled or moved many visits, when and why")
    async def list_desk_changes(
        client: Annotated[Client, Depends(reader)],
        before: Annotated[int | None, Query(ge=1, lt=2**63, description="`next_before` of the page before.")] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
    ) -> DeskChanges:
        """Newest first; a client's own, the operator sees all."""
        items = await changes_of(desk.reads, client, before, limit)
        return DeskChanges.model_validate(
            {"items": items, "next_before": next_place(items, limit, itemgetter("change_id"))}
        )

    return router


def _wish(body: WhichBody, act: Act, client: Client, header: str | None, body_sha256: bytes) -> Wish:
    key = body.event_id or header
    if key is None and not body.dry_run:
        raise Refused("MISSING_FIELD", "give an event_id, or the header Idempotency-Key", "event_id")
    if key is not None and len(texts.identifier(key, "event_id")) > LONGEST_KEY:
        raise Refused("FIELD_TOO_LONG", f"at most {LONGEST_KEY} characters", "event_id")
    reason = REASONS[act] if body.reason is None else texts.name(body.reason, "reason")
    by = None if body.by is None else texts.name(body.by, "by")
    return Wish(client, key or "", body_sha256, act, reason, by, shift_of(body))
