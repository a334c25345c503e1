"""The routes that carriers call. No operator's key opens them; a signature does, and nothing else.

Every 2xx is given after the commit (G6). A bad signature is 401, counted, and nothing of the request is kept; a body
that is too large is 413 before it is read. What is signed and cannot be read is kept and answered like the rest: a
carrier that is refused sends the same again for days, and everything beside it. A database that is not there is 503:
every carrier tries again.
"""

from collections.abc import Callable
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from notifier.adapters.callbacks import meta, twilio
from notifier.adapters.callbacks.door import LARGEST_WEBHOOK, Door
from notifier.adapters.callbacks.dsn import LARGEST_MAIL, read_mail
from notifier.adapters.callbacks.signatures import (
    CallbackSecrets,
    is_one_of,
    twilio_is_genuine,
)
from notifier.adapters.callbacks.twilio import Unreadable
from notifier.domain.receipts import Carrier
from notifier.handle.intake import Intake
from schemas.notifications import Channel

CALLBACKS = "/callbacks"
"""All that carriers, mail programs and patients' links call: public, each route checks a signature."""
BOUNCE_HEADER = "X-Bounce-Secret"
"""Carries the mail server's secret."""
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Says to Twilio that no message is to be sent back: whatever leaves goes through the ledger."""


class Callbacks:
    """What the routes share.

    Args:
        intake: Takes what was read.
        secrets: Gives every secret that counts now.
        base_url: The public address of this API, as carriers call it; None: Twilio's callbacks cannot be checked.
        door: Reads bodies and counts.
    """

    def __init__(
        self,
        intake: Intake,
        secrets: Callable[[], CallbackSecrets],
        base_url: str | None,
        door: Door,
    ) -> None:
        self.intake, self.secrets, self.door = intake, secrets, door
        self._base_url = (base_url or "").rstrip("/")

    async def twilio_form(self, request: Request) -> tuple[list[tuple[str, str]], bytes, str]:
        """Return the fields of a form that Twilio has signed, the form as it came, and the account it speaks for.

        Raises:
            Problem: 401, 413 or 400.
        """
        body = await self.door.read(request, "twilio")
        try:
            fields = twilio.form_of(body)
        except Unreadable:
            raise self.door.malformed("twilio", "The form") from None
        query = f"?{request.url.query}" if request.url.query else ""
        url = f"{self._base_url}{quote(request.url.path)}{query}"
        given = request.headers.get("X-Twilio-Signature", "")
        account, tokens = self.secrets().of_twilio(dict(fields).get("AccountSid"))
        if not self._base_url or not twilio_is_genuine(tokens, url, fields, given):
            raise self.door.unsigned("twilio")
        return fields, body, account


def routes(callbacks: Callbacks) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=CALLBACKS, tags=["callbacks"])
    _twilio(router, callbacks)
    _meta(router, callbacks)
    _bounces(router, callbacks)
    return router


def _twilio(router: APIRouter, callbacks: Callbacks) -> None:
    @router.post("/twilio/inbound", summary="An SMS that a patient sent, signed by Twilio")
    async def twilio_inbound(request: Request) -> Response:
        fields, body, account = await callbacks.twilio_form(request)
        await callbacks.intake.take(Carrier.TWILIO, twilio.read_inbound(fields, body).by(account, twilio.INBOUND))
        return Response(EMPTY_TWIML, media_type="text/xml")

    @router.post("/twilio/{attempt_id}", status_code=204, summary="What became of one SMS, signed by Twilio")
    async def twilio_status(attempt_id: str, request: Request) -> Response:
        fields, body, account = await callbacks.twilio_form(request)
        read = twilio.read_status(fields, attempt_id, body).by(account, f"{twilio.STATUS}{attempt_id[:100]}")
        await callbacks.intake.take(Carrier.TWILIO, read)
        return Response(status_code=204)


def _meta(router: APIRouter, callbacks: Callbacks) -> None:
    @router.get("/meta", summary="Meta's challenge, once, when the webhook is entered there")
    async def meta_challenge(request: Request) -> Response:
        asked = request.query_params
        token, challenge = asked.get("hub.verify_token", ""), asked.get("hub.challenge", "")
        if asked.get("hub.mode") != "subscribe" or not is_one_of(callbacks.secrets().meta_verify, token):
            raise callbacks.door.unsigned("meta")
        if not challenge.isalnum() or len(challenge) > 200:
            raise callbacks.door.malformed("meta", "hub.challenge")
        return PlainTextResponse(challenge)

    @router.post("/meta", summary="Statuses and patients' answers on WhatsApp, signed by Meta")
    async def meta_events(request: Request) -> Response:
        body = await callbacks.door.read(request, "meta", LARGEST_WEBHOOK)
        secrets = callbacks.secrets()
        signers = secrets.signers_of(body, request.headers.get("X-Hub-Signature-256", ""))
        if not signers:
            raise callbacks.door.unsigned("meta")
        rest = secrets.rest.get(Channel.WHATSAPP, "")
        await callbacks.intake.take(Carrier.META, meta.read(body, signers, rest))
        return Response(status_code=200)


def _bounces(router: APIRouter, callbacks: Callbacks) -> None:
    @router.post("/dsn", status_code=204, summary="A returned mail (RFC 3464), with a mail server's secret")
    async def bounce(request: Request) -> Response:
        if not is_one_of(callbacks.secrets().bounces, request.headers.get(BOUNCE_HEADER, "")):
            raise callbacks.door.unsigned("email")
        mail = await callbacks.door.read(request, "email", LARGEST_MAIL)
        await callbacks.intake.take(Carrier.EMAIL, read_mail(mail))
        return Response(status_code=204)
