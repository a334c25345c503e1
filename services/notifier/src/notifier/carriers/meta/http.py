"""The routes that Meta calls: its challenge, and bodies of statuses and patients' answers, signed by the app."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from chassis.api.app import answers
from notifier.callbacks.carrier_routes import Callbacks, signed_by
from notifier.callbacks.door import LARGEST_WEBHOOK
from notifier.callbacks.secrets import is_one_of
from notifier.carriers.meta import callbacks as meta
from notifier.carriers.meta.signature import meta_signers
from notifier.receipts.domain import Carrier
from schemas.notifications import Channel


def add_meta(router: APIRouter, callbacks: Callbacks) -> None:
    """Add the routes."""

    @router.get(
        "/meta",
        summary="Meta's challenge, once, when the webhook is entered there",
        responses=answers({"type": "string"}, "text/plain"),
    )
    async def answer_meta_challenge(request: Request) -> Response:
        asked = request.query_params
        token, challenge = asked.get("hub.verify_token", ""), asked.get("hub.challenge", "")
        if asked.get("hub.mode") != "subscribe" or not is_one_of(callbacks.secrets().meta_verify, token):
            raise callbacks.door.unsigned("meta")
        if not challenge.isalnum() or len(challenge) > 200:
            raise callbacks.door.malformed("meta", "hub.challenge")
        return PlainTextResponse(challenge)

    @router.post(
        "/meta",
        summary="Statuses and patients' answers on WhatsApp, signed by Meta",
        response_class=Response,
        dependencies=[signed_by("X-Hub-Signature-256", "MetaSignature", "Of the body, by the app's secret.")],
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}},
    )
    async def post_meta_events(request: Request) -> Response:
        body = await callbacks.door.read(request, "meta", LARGEST_WEBHOOK)
        secrets = callbacks.secrets()
        signers = meta_signers(secrets.meta, body, request.headers.get("X-Hub-Signature-256", ""))
        if not signers:
            raise callbacks.door.unsigned("meta")
        rest = secrets.rest.get(Channel.WHATSAPP, "")
        await callbacks.intake.take(Carrier.META, meta.read(body, signers, rest))
        return Response(status_code=200)
