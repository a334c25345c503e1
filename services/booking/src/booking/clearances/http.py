"""`/v1/appointments/{id}/clearances`: what clears a visit, and what does not."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request

from booking.clearances.answers import (
    ClearanceBatch,
    ClearancesView,
    ClearanceTaken,
    clearance_view,
    item,
    standing_view,
    taken_view,
    word_view,
)
from booking.clearances.bodies import CONSENT, PAID, WITHDRAWN, ClearanceBody, command_of
from booking.clearances.domain.clearance import GiveClearance
from booking.clearances.domain.standing import NOTHING_REQUIRED, Standing
from booking.clearances.handle import ClearanceAnswer, give
from booking.clearances.store import PostgresClearances, held_of, history_of, seen_by, standing
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, body_schema, problem
from booking.door.domain import Client
from booking.door.strict_json import canonical_hash, strict_json
from booking.door.transactions import Transactions
from booking.values.refusals import UNKNOWN_APPOINTMENT, Refused
from chassis.api.app import Problem, answers, refuses
from chassis.postgres.database import Connection, Pool

MOST_AT_ONCE = 100
"""Words about one visit in one request."""

_WRONG = (
    "MISSING_FIELD", "WRONG_TYPE", "FIELD_TOO_LONG", "EMPTY_TEXT", "CONTROL_CHARACTER", "PADDED_ID", "EMPTY_BATCH",
    "BAD_SLUG", "UNKNOWN_KIND", "UNKNOWN_STATE", "UNKNOWN_SIGNER", "NOT_OF_THIS_KIND", "STATE_CONFLICT",
    "NEGATIVE_AMOUNT", "UNKNOWN_CURRENCY", "NUMBER_OUT_OF_RANGE", "CONSENT_OF_ANOTHER", "EXPIRED_BEFORE_SIGNED",
    "WITHDRAWN_BEFORE_SIGNED", "NOT_YET", "UNKNOWN_FORM_VERSION", "BAD_TIME", "NAIVE_TIME", "TIME_OUT_OF_RANGE",
)  # fmt: skip
_REFUSES = refuses(
    {
        400: BAD_BODY,
        403: ("MAY_NOT_CLEAR",),
        404: (UNKNOWN_APPOINTMENT,),
        409: ("EVENT_ID_CONFLICT", "VISIT_CANCELLED"),
        413: ("BATCH_TOO_LARGE",),
        422: _WRONG,
        503: ("KEY_RACE",),
    }
)
_EXAMPLES = {"consent": CONSENT, "payment": PAID, "withdrawal": WITHDRAWN, "several": [CONSENT, PAID]}

Key = Annotated[str | None, Header(alias="Idempotency-Key", description="Of a single word without an event_id.")]


def routes(transactions: Transactions, reads: Pool, client: Caller, reader: Caller) -> APIRouter:
    """Return the routes. Words are taken from clients; the operator's key reads."""
    router = APIRouter(prefix="/v1/appointments/{appointment_id}/clearances", tags=["clearances"])

    @router.post(
        "",
        summary="Say that a visit is cleared, or is not: one word or several",
        responses={**answers(ClearanceTaken | ClearanceBatch), **_REFUSES},
        openapi_extra=body_schema(ClearanceBody | list[ClearanceBody], _EXAMPLES, "One word, or a list of them."),
    )
    async def post_clearances(
        request: Request, appointment_id: UUID, caller: Annotated[Client, Depends(client)], key: Key = None
    ) -> ClearanceTaken | ClearanceBatch:
        """Take words about a visit's clearances, in one transaction. The same event again has no second effect.

        Of two words the one that was said later counts. A list is answered word by word.
        """
        content = await request.body()
        try:
            told = strict_json(content)
            commands = _read(told, caller, appointment_id, key)
            found, stands = await _taken(transactions, commands, caller, appointment_id)
            if isinstance(told, list):
                for refusal in filter(None, (answer.refusal for answer in found)):
                    transactions.counts.refused(refusal)
                return ClearanceBatch(results=[item(answer, stands) for answer in found])
            if found[0].refusal is not None:
                raise found[0].refusal
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None
        return taken_view(found[0], stands)

    @router.get(
        "",
        summary="What is held of a visit, every word about it, and what lacks",
        responses={**answers(ClearancesView), **refuses({404: (UNKNOWN_APPOINTMENT,)})},
    )
    async def get_clearances(appointment_id: UUID, caller: Annotated[Client, Depends(reader)]) -> ClearancesView:
        """The clearances of a visit that the caller sees, as of its start if that is ahead."""
        async with reads.acquire() as connection:
            if not await seen_by(connection, caller, appointment_id):
                raise Problem(404, UNKNOWN_APPOINTMENT, "No such appointment, or none of this client.")
            now = transactions.clock.now()
            stands = (await standing(connection, [appointment_id], now, at_start=True))[appointment_id]
            held = (await held_of(connection, [appointment_id])).get(appointment_id, [])
            history = await history_of(connection, appointment_id)
        return ClearancesView.model_validate(
            {
                "appointment_id": appointment_id,
                "standing": standing_view(stands),
                "current": [clearance_view(one) for one in held],
                "history": [word_view(row) for row in history],
            }
        )

    return router


def _read(told: Any, client: Client, visit: UUID, key: str | None) -> list[GiveClearance | Refused]:
    """Return the commands of a body, in place of one that cannot be read its refusal.

    Raises:
        Refused: Of a single one, or EMPTY_BATCH, BATCH_TOO_LARGE.
    """
    if not isinstance(told, list):
        return [command_of(told, client.client_id, visit, canonical_hash(told), key)]
    if not told:
        raise Refused("EMPTY_BATCH", "there is nothing in the list")
    if len(told) > MOST_AT_ONCE:
        raise Refused("BATCH_TOO_LARGE", f"at most {MOST_AT_ONCE} at once")
    return [_read_one(one, client, visit) for one in told]


def _read_one(told: Any, client: Client, visit: UUID) -> GiveClearance | Refused:
    try:
        return command_of(told, client.client_id, visit, canonical_hash(told))
    except Refused as refusal:
        return refusal


async def _taken(
    transactions: Transactions, commands: list[GiveClearance | Refused], client: Client, visit: UUID
) -> tuple[list[ClearanceAnswer], Standing]:
    readable = [command for command in commands if isinstance(command, GiveClearance)]

    async def story(connection: Connection) -> tuple[list[ClearanceAnswer], Standing]:
        store, now = PostgresClearances(connection), transactions.clock.now()
        found = await give(store, readable, {client.client_id: client}, now)
        stands = await store.standing([visit], now) if any(one.refusal is None for one in found) else {}
        return found, stands.get(visit, NOTHING_REQUIRED)

    found, stands = await transactions.run(story)
    taken = iter(found)
    return [ClearanceAnswer("", refusal=one) if isinstance(one, Refused) else next(taken) for one in commands], stands
