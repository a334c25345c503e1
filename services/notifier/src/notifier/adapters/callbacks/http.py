"""The routes that carriers call. No operator's key opens them; a signature does, and nothing else.

Every 2xx is given after the commit (G6). A bad signature is 401, counted, and nothing of the request is kept; a body
above 64 KiB is 413 before it is read; what is signed and unreadable is 400. A database that is not there is 503: every
carrier tries again.
"""

from collections.abc import Callable
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from chassis.clock import Clock
from notifier.adapters.callbacks import meta, twilio
from notifier.adapters.callbacks.door import LARGEST_MAIL, Door
from notifier.adapters.callbacks.dsn import NoBounce, read_bounce
from notifier.adapters.callbacks.signatures import (
    CallbackSecrets,
    is_one_of,
    meta_is_genuine,
    twilio_is_genuine,
)
from notifier.adapters.callbacks.twilio import Unreadable
from notifier.domain.receipts import Carrier, Receipt
from notifier.handle.receipts import Receipts, hear
from notifier.handle.replies import Incoming, Replies, answer

CALLBACKS = "/callbacks"
"""All that carriers, mail programs and patients' links call: public, each route checks a signature."""
BOUNCE_HEADER = "X-Bounce-Secret"
"""Carries the mail server's secret."""
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Says to Twilio that no message is to be sent back: whatever leaves goes through the ledger."""


class Callbacks:
    """What the routes share.

    Args:
        receipts: Where reports are kept.
        replies: Where answers are kept.
        secrets: Gives every secret that counts now.
        base_url: The public address of this API, as carriers call it; None: Twilio's callbacks cannot be checked.
        clock: Domain time.
        door: Reads bodies and counts.
        committed: Called after every commit that may have made work for lanes or the relay.
    """

    def __init__(
        self,
        receipts: Receipts,
        replies: Replies,
        secrets: Callable[[], CallbackSecrets],
        base_url: str | None,
        clock: Clock,
        door: Door,
        committed: Callable[[], None],
    ) -> None:
        self.receipts, self.replies, self.secrets, self.door = receipts, replies, secrets, door
        self._base_url, self._clock, self._committed = (base_url or "").rstrip("/"), clock, committed

    async def twilio_form(self, request: Request) -> list[tuple[str, str]]:
        """Return the fields of a form that Twilio has signed.

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
        if not self._base_url or not twilio_is_genuine(self.secrets().twilio, url, fields, given):
            raise self.door.unsigned("twilio")
        return fields

    async def report(self, carrier: Carrier, reports: list[Receipt]) -> None:
        """Keep and apply reports; durable when this returns."""
        heard = await hear(self.receipts, reports, self._clock.now())
        self.door.count(carrier.value, "repeat", len(reports) - heard.new)
        self.door.count(carrier.value, "unmatched", heard.new - heard.applied)
        self.door.count(carrier.value, "applied", heard.applied)
        if heard.told:
            self._committed()

    async def take_answer(self, carrier: Carrier, incoming: Incoming) -> None:
        """Do and keep what a patient wrote; durable when this returns."""
        reply = await answer(self.replies, incoming, self._clock.now())
        self.door.count(carrier.value, f"answer_{reply.verdict}" if reply else "repeat")
        if reply:
            self._committed()


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
        fields = await callbacks.twilio_form(request)
        try:
            incoming = twilio.incoming_of(fields)
        except Unreadable as error:
            raise callbacks.door.malformed("twilio", str(error)) from None
        await callbacks.take_answer(Carrier.TWILIO, incoming)
        return Response(EMPTY_TWIML, media_type="text/xml")

    @router.post("/twilio/{attempt_id}", status_code=204, summary="What became of one SMS, signed by Twilio")
    async def twilio_status(attempt_id: str, request: Request) -> Response:
        fields = await callbacks.twilio_form(request)
        try:
            report = twilio.receipt_of(fields, UUID(attempt_id))
        except Unreadable as error:
            raise callbacks.door.malformed("twilio", str(error)) from None
        except ValueError:
            raise callbacks.door.malformed("twilio", "The attempt's id") from None
        await callbacks.report(Carrier.TWILIO, [report])
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
        body = await callbacks.door.read(request, "meta")
        if not meta_is_genuine(callbacks.secrets().meta, body, request.headers.get("X-Hub-Signature-256", "")):
            raise callbacks.door.unsigned("meta")
        try:
            reports, answers = meta.read(body)
        except Unreadable as error:
            raise callbacks.door.malformed("meta", str(error)) from None
        if reports:
            await callbacks.report(Carrier.META, reports)
        for incoming in answers:
            await callbacks.take_answer(Carrier.META, incoming)
        return Response(status_code=200)


def _bounces(router: APIRouter, callbacks: Callbacks) -> None:
    @router.post("/dsn", status_code=204, summary="A returned mail (RFC 3464), with a mail server's secret")
    async def bounce(request: Request) -> Response:
        if not is_one_of(callbacks.secrets().bounces, request.headers.get(BOUNCE_HEADER, "")):
            raise callbacks.door.unsigned("email")
        mail = await callbacks.door.read(request, "email", LARGEST_MAIL)
        try:
            reports = read_bounce(mail)
        except NoBounce as error:
            raise callbacks.door.malformed("email", str(error)) from None
        if reports:
            await callbacks.report(Carrier.EMAIL, reports)
        return Response(status_code=204)
