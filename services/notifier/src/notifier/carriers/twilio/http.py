"""The routes that Twilio calls: status reports and patients' answers, each form signed over the public URL."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from notifier.callbacks.carrier_routes import Callbacks
from notifier.carriers.twilio import callbacks as twilio
from notifier.carriers.twilio.signature import twilio_is_genuine
from notifier.receipts.domain import Carrier

EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
"""Says to Twilio that no message is to be sent back: whatever leaves goes through the ledger."""


def add_twilio(router: APIRouter, callbacks: Callbacks) -> None:
    """Add the routes."""

    @router.post("/twilio/inbound", summary="An SMS that a patient sent, signed by Twilio")
    async def twilio_inbound(request: Request) -> Response:
        fields, body, account = await _form(request, callbacks)
        await callbacks.intake.take(Carrier.TWILIO, twilio.read_inbound(fields, body).by(account, twilio.INBOUND))
        return Response(EMPTY_TWIML, media_type="text/xml")

    @router.post("/twilio/{attempt_id}", status_code=204, summary="What became of one SMS, signed by Twilio")
    async def twilio_status(attempt_id: str, request: Request) -> Response:
        fields, body, account = await _form(request, callbacks)
        read = twilio.read_status(fields, attempt_id, body).by(account, f"{twilio.STATUS}{attempt_id[:100]}")
        await callbacks.intake.take(Carrier.TWILIO, read)
        return Response(status_code=204)


async def _form(request: Request, callbacks: Callbacks) -> tuple[list[tuple[str, str]], bytes, str]:
    """Return the fields of a form that Twilio has signed, the form as it came, and the account it speaks for."""
    body = await callbacks.door.read(request, "twilio")
    try:
        fields = twilio.form_of(body)
    except twilio.Unreadable:
        raise callbacks.door.malformed("twilio", "The form") from None
    query = f"?{request.url.query}" if request.url.query else ""
    url = f"{callbacks.base_url}{quote(request.url.path)}{query}"
    given = request.headers.get("X-Twilio-Signature", "")
    account, tokens = callbacks.secrets().of_twilio(dict(fields).get("AccountSid"))
    if not callbacks.base_url or not twilio_is_genuine(tokens, url, fields, given):
        raise callbacks.door.unsigned("twilio")
    return fields, body, account
