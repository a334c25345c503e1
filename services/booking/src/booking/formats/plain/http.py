"""`POST /v1/events`: one event, or a batch with an answer for each."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.responses import JSONResponse

from booking.appointments.domain.batch import Answer
from booking.appointments.intake import CommandIntake
from booking.door.auth import Caller
from booking.door.bodies import body_schema, problem
from booking.door.domain import Client
from booking.door.strict_json import strict_json
from booking.door.transactions import Transactions
from booking.formats.plain.format import LARGEST_BATCH, EventBody, PlainJson, is_batch
from booking.formats.port import Hints
from booking.values.refusals import Refused

BOOKED = {
    "event_id": "msg-1",
    "sequence": 1,
    "appointment": {
        "id": "visit-1",
        "status": "booked",
        "patient": {"id": "p-1"},
        "clinic": "CARDIO",
        "provider": {"id": "dr-204"},
        "service_type": "Echocardiogram",
        "start": "2027-03-12T10:00:00+00:00",
        "end": "2027-03-12T10:30:00+00:00",
    },
}
MOVED = {
    "event_id": "msg-2",
    "sequence": 2,
    "appointment": {"id": "visit-1", "status": "booked", "start": "2027-03-15T09:00", "zone": "Europe/London"},
}
CANCELLED = {"event_id": "msg-3", "sequence": 3, "appointment": {"id": "visit-1", "status": "cancelled"}}


_OPENAPI = body_schema(
    EventBody,
    {
        "booked": BOOKED,
        "moved": MOVED,
        "cancelled": CANCELLED,
        "batch": {"events": [BOOKED, {**CANCELLED, "event_id": "msg-4"}]},
    },
    f"One event, an array of events, or {{'events': [...]}}; at most {LARGEST_BATCH}.",
)


def routes(transactions: Transactions, intake: CommandIntake, caller: Caller) -> APIRouter:
    """Return the route of plain events.

    Args:
        transactions: Where refusals are counted.
        intake: Where events are taken.
        caller: The dependency that gives the client.
    """
    router = APIRouter(prefix="/v1", tags=["events"])
    format_ = PlainJson()

    @router.post("/events", summary="Book, move, cancel: one event or a batch", openapi_extra=_OPENAPI)
    async def post_events(request: Request, client: Annotated[Client, Depends(caller)]) -> Response:
        """Take events. The same event again has no second effect: `repeat`, with the `original_result`."""
        body = await request.body()
        hints = Hints(client, request.query_params.get("source"), request.headers.get("idempotency-key"))
        try:
            value = strict_json(body)
            orders = format_.read(value, hints)
        except Refused as refusal:
            transactions.counts.refused(refusal)
            raise problem(refusal) from None
        answers = await intake.answer_all(orders, client)
        if is_batch(value):
            return JSONResponse({"results": [item(answer) for answer in answers]})
        return single(answers[0])

    return router


def single(answer: Answer) -> Response:
    """Return the answer to one event."""
    if answer.refusal is not None:
        raise problem(answer.refusal)
    return JSONResponse(_members(answer))


def item(answer: Answer) -> dict[str, Any]:
    """Return one event's part of the answer to a batch."""
    if answer.refusal is None:
        return {"status": 200, **_members(answer)}
    named = {"event_id": answer.key} if answer.key else {}
    refusal = answer.refusal
    return {
        **named,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.message,
        "place": refusal.place,
    }


def _members(answer: Answer) -> dict[str, Any]:
    assert answer.taken is not None and answer.result is not None  # noqa: S101, PT018  # taken, not refused
    cancelled = {"reminders_cancelled": answer.reminders_cancelled} if answer.reminders_cancelled is not None else {}
    again = {"original_result": answer.taken.result.value} if answer.result is not answer.taken.result else {}
    return {
        "event_id": answer.key,
        "appointment_id": str(answer.taken.appointment_id),
        "version": answer.taken.version,
        "result": answer.result.value,
        **again,
        **cancelled,
        "warnings": list(answer.taken.warnings),
    }
