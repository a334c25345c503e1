"""`POST /v1/hl7v2`: messages of HL7 v2 by HAPI's convention, each answered by its acknowledgement."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from booking.door.auth import Caller
from booking.door.bodies import Source
from booking.door.domain import Client
from booking.formats.hl7v2 import batches
from booking.formats.hl7v2.door import Hl7Door
from booking.formats.hl7v2.format import MEDIA_TYPES, Hl7V2

_BODY = (
    "One message of HL7 v2, or several, with their envelopes or without. A segment or field that is not read here says "
    "nothing: `UNKNOWN_FIELD` is of JSON."
)
_CONTENT = {one: dict(Hl7V2.openapi) for one in MEDIA_TYPES}
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}


def routes(door: Hl7Door, caller: Caller) -> APIRouter:
    """Return the route of HL7 v2."""
    router = APIRouter(prefix="/v1", tags=["events"])

    @router.post(
        "/hl7v2",
        summary="Take messages of HL7 v2",
        response_class=Response,
        responses={200: {"description": "An acknowledgement for each message.", "content": {MEDIA_TYPES[0]: _TEXT}}},
        openapi_extra={"requestBody": {"required": True, "description": _BODY, "content": _CONTENT}},
    )
    async def post_hl_messages(
        request: Request, client: Annotated[Client, Depends(caller)], source: Source = None
    ) -> Response:
        """Take one message, or a batch, and answer with an acknowledgement for each, in order.

        The status is 200 whatever became of them: MSA-1 says AA (taken), AR (refused for good, with its reason in ERR)
        or AE (not kept now: send it again).
        """
        answers = await door.answer_all(batches.split(await request.body()), client, source)
        return Response(b"".join(answers), media_type=MEDIA_TYPES[0])

    return router
