"""`POST /v1/appointments/{id}/check-in`: may the patient be let in? (R34)."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from booking.appointments.reads import id_called
from booking.desk.check_in import CheckInAnswer, CheckInBody, check_in
from booking.desk.http import Key
from booking.desk.intake import DeskIntake
from booking.door.auth import Caller
from booking.door.bodies import BAD_BODY, BAD_FIELD, Source, body_schema, problem
from booking.door.domain import OPERATOR, Client
from booking.door.strict_json import strict_json
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import Problem, refuses

_REFUSES = refuses(
    {
        400: BAD_BODY,
        403: ("OPERATOR_BOOKS_NOTHING", "MAY_NOT_OVERRIDE", "FOREIGN_SOURCE"),
        404: ("UNKNOWN_APPOINTMENT",),
        409: ("NOT_CLEARED", "CHANGED_MEANWHILE", "ALREADY_CANCELLED", "ILLEGAL_TRANSITION", "EVENT_ID_CONFLICT"),
        422: (*BAD_FIELD, "UNKNOWN_FIELD", "PADDED_ID"),
    }
)
_WHO = {"event_id": "arrival-17", "by": "front desk"}
_EXAMPLES = {
    "a patient who is there": _WHO,
    "whatever lacks": {**_WHO, "override": True, "reason": "Dr Adeyemi takes the consent herself"},
    "may he be let in?": {"dry_run": True},
}
_BODY = body_schema(CheckInBody, _EXAMPLES, "Who checks him in.")


def routes(desk: DeskIntake, reader: Caller) -> APIRouter:
    """Return the routes. They are for clients: the operator's key books nothing."""
    router = APIRouter(prefix="/v1/appointments", tags=["events"])

    async def take(request: Request, client: Client, appointment_id: UUID, key: str | None) -> CheckInAnswer:
        if client is OPERATOR:
            raise Problem(403, "OPERATOR_BOOKS_NOTHING", "The operator's key books nothing: use a client's.")
        content = await request.body()
        try:
            answer = await check_in(desk, client, appointment_id, strict_json(content), key)
        except Refused as refusal:
            desk.transactions.counts.refused(refusal)
            raise problem(refusal) from None
        if isinstance(answer, Refused):
            raise problem(answer)
        return answer

    @router.post(
        "/check-in",
        summary="Check in a patient, by the source's id of the visit",
        responses=_REFUSES,
        openapi_extra=_BODY,
    )
    async def check_in_by_source(
        request: Request,
        client: Annotated[Client, Depends(reader)],
        id: Annotated[str, Query(description="What the source calls the visit.")],  # the API's word
        source: Source = None,
        key: Key = None,
    ) -> CheckInAnswer:
        """As `POST /v1/appointments/{appointment_id}/check-in`."""
        try:
            called = client.source(source), texts.identifier(id, "id")
        except Refused as refusal:
            raise problem(refusal) from None
        return await take(request, client, await id_called(desk.reads, *called), key)

    @router.post(
        "/{appointment_id}/check-in",
        summary="Check in a patient, if his visit is cleared",
        responses=_REFUSES,
        openapi_extra=_BODY,
    )
    async def check_in_appointment(
        request: Request, appointment_id: UUID, client: Annotated[Client, Depends(reader)], key: Key = None
    ) -> CheckInAnswer:
        """What the clinic requires is looked at under the visit's lock, and kept with the check-in.

        Where the clinic enforces it and something lacks: 409 NOT_CLEARED, whose `errors` say of each lack for whom it
        is and how to get it. Nothing is changed then, and the same request may be sent again.
        """
        return await take(request, client, appointment_id, key)

    return router
