"""`POST /v1/sources/{source}/map`: what a body says, where that came from, and what would follow (0063)."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request

from booking.door.auth import Caller
from booking.door.bodies import problem
from booking.door.domain import Client
from booking.formats.maps.bodies import MapView
from booking.formats.maps.explain import MOST_MESSAGES, Explainer
from booking.values import texts
from booking.values.refusals import Refused
from chassis.api.app import answers, refuses

Values = Annotated[
    bool, Query(description="Show values as they are; without it what may say who somebody is by its shape.")
]

_REFUSED = {403: ("FOREIGN_SOURCE",), 413: ("BATCH_TOO_LARGE",), 422: ("PADDED_ID", "CONTROL_CHARACTER")}


def routes(explainer: Explainer, caller: Caller) -> APIRouter:
    """Return the route: for a client's key, because what would follow depends on its rights."""
    router = APIRouter(prefix="/v1/sources", tags=["sources"])

    @router.post(
        "/{source}/map",
        summary="Explain messages of a source, and keep nothing",
        responses={**answers(MapView), **refuses(_REFUSED)},
        openapi_extra=_described(explainer),
    )
    async def post_map(
        request: Request,
        source: Annotated[str, Path(description="The source's name, as events have it.")],
        client: Annotated[Client, Depends(caller)],
        values: Values = False,
    ) -> MapView:
        """Say of each message what it asks for, where each value came from, what was dropped, and what would follow.

        Everything is read by the source's profile and decided as for events, each message on top of those before it;
        nothing is written, counted or sent. What would be refused is in the answer, with its reason.
        """
        try:
            named = texts.identifier(source, "source")
            content_type = request.headers.get("content-type")
            return await explainer.explain(await request.body(), content_type, named, client, values=values)
        except Refused as refusal:
            raise problem(refusal) from None

    return router


def _described(explainer: Explainer) -> dict[str, Any]:
    content = {type_: dict(one.openapi) for one in explainer.formats.all for type_ in one.media_types}
    takes = f"What `POST /v1/events` or `POST /v1/hl7v2` takes, by its media type; at most {MOST_MESSAGES} messages."
    text = f"{takes} A field of JSON that is not described is named as there: `UNKNOWN_FIELD`."
    return {"requestBody": {"required": True, "description": text, "content": content}}
