"""`POST /v1/appointments/cancel` and `/move`: many visits at once; `GET /v1/desk-changes`: who asked for what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import ENDS_BEFORE_BEGINNING
from booking.appointments.handle import decided
from booking.appointments.intake import CommandIntake
from booking.appointments.store import Looking
from booking.appointments.wanted import Filter, wanted_of
from booking.desk.answers import answer_of
from booking.desk.bodies import CancelBody, DeskAnswer, DeskChanges, MoveBody, WhichBody, read, shift_of
from booking.desk.domain import REASONS, Act, Order, Wish
from booking.desk.handle import Done, commands_of, done, order_for
from booking.desk.store import PostgresOrders, changes_of, chosen_by, starts_of, visits_of
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, body_schema, problem
from booking.door.domain import OPERATOR, Client
from booking.door.strict_json import canonical_hash, strict_json
from booking.door.transactions import Transactions
from booking.values import texts
from booking.values.refusals import Refused
from booking.values.times import calendar_day
from chassis.api.app import Problem, refuses
from chassis.api.page_cursor import next_place
from chassis.postgres.database import Pool
from schemas.appointments import Status

LONGEST_PAGE = 1_000
"""Visits that one request carries out: one transaction."""

MOST_VISITS = 10_000
"""Visits of one order."""

LONGEST_KEY = 150
"""Of an order: with an appointment's id it is the key of that visit's command."""

_NOT_CANCELLED = tuple(status for status in Status if status not in ENDS_BEFORE_BEGINNING)

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


@dataclass(frozen=True)
class Desk:
    """Where orders are kept and carried out.

    Attributes:
        reads: Connections for what only reads.
    """

    transactions: Transactions
    intake: CommandIntake
    reads: Pool

    async def take(self, wish: Wish, body: WhichBody, after: int, limit: int) -> DeskAnswer:
        """Carry out a page of an order, which is kept first if it is new, and answer it."""
        now, connection = self.transactions.clock.now(), self.transactions.run
        chosen = Order(await self._choose(wish.client, body, now), now)
        if body.dry_run:
            order = chosen
        else:
            order = await connection(lambda one: order_for(PostgresOrders(one), wish, chosen), lambda: None)
        page = order.page(after, limit)
        async with self.reads.acquire() as reading:
            visits = await visits_of(reading, wish.client, page)
        commands = commands_of(wish, order, page, visits)
        if body.dry_run:
            answers = await self._tried(commands, wish.client, now)
        else:
            answers = await self.intake.answer_all(commands, wish.client)
        rest = after + len(page)
        next_after = rest if rest < len(order.starts) else None
        results: list[Done] = done(page, visits, commands, answers)
        return answer_of(wish, order, results, next_after, dry_run=body.dry_run)

    async def _choose(self, client: Client, body: WhichBody, now: datetime) -> Mapping[UUID, datetime | None]:
        if body.ids is not None:
            if any(one is not None for one in (body.clinic, body.day, body.provider, body.source, body.status)):
                raise Refused("WHICH_VISITS", "give ids, or a clinic and a day", "ids")
            return await starts_of(self.reads, body.ids)
        if body.clinic is None or body.day is None:
            raise Refused("WHICH_VISITS", "give ids, or a clinic and a day", "day" if body.clinic else "clinic")
        calendar_day(body.day, "day")  # an order means the same day whenever it is repeated
        given = Filter(body.clinic, body.day, provider=body.provider, status=body.status or _NOT_CANCELLED)
        wanted = await wanted_of(self.reads, client, given, now, source=body.source)
        found = await chosen_by(self.reads, client, wanted, MOST_VISITS + 1)
        if len(found) > MOST_VISITS:
            raise Refused("BATCH_TOO_LARGE", f"more than {MOST_VISITS} visits: name a provider", "provider")
        return found

    async def _tried(
        self, commands: Sequence[BookAppointment | Refused], client: Client, now: datetime
    ) -> list[EventAnswer]:
        """Return what the commands would be answered now; the transaction may only read."""
        readable = [command for command in commands if isinstance(command, BookAppointment)]
        async with self.reads.transaction(readonly=True) as connection:
            _, found = await decided(Looking(connection), readable, {client.client_id: client}, now)
        answers = iter(found)
        return [EventAnswer("", refusal=one) if isinstance(one, Refused) else next(answers) for one in commands]


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


def routes(desk: Desk, reader: Caller) -> APIRouter:
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
