"""The routes that Twilio calls: status reports and patients' answers, each form signed over the public URL."""

from collections.abc import Sequence
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Request, Response

from chassis.api.app import answers
from notifier.callbacks.carrier_routes import Callbacks, signed_by
from notifier.carriers.twilio import callbacks as twilio
from notifier.carriers.twilio.signature import twilio_is_genuine
from notifier.receipts.domain import Carrier

FORM = {
    "requestBody": {
        "required": True,
        "content": {"application/x-www-form-urlencoded": {"schema": {"type": "object", "additionalProperties": True}}},
    }
}


def twiml(said_back: Sequence[str]) -> str:
    """Return what Twilio is to answer the patient: who we are, if he asked; nothing else leaves but by the ledger.

    Shape: twilio.com/docs/messaging/twiml, and its verb `Message`.
    """
    response = Element("Response")
    for said in said_back:
        SubElement(response, "Message").text = said
    return tostring(response, encoding="unicode", xml_declaration=False)


def add_twilio(router: APIRouter, callbacks: Callbacks) -> None:
    """Add the routes."""
    signed = [signed_by("X-Twilio-Signature", "TwilioSignature", "Of the form, by the account's token.")]

    @router.post(
        "/twilio/inbound",
        summary="An SMS that a patient sent, signed by Twilio",
        responses=answers({"type": "string", "description": "TwiML: what Twilio is to say back."}, "text/xml"),
        dependencies=signed,
        openapi_extra=FORM,
    )
    async def post_twilio_message(request: Request) -> Response:
        fields, body, account = await _form(request, callbacks)
        read = twilio.read_inbound(fields, body).by(account, twilio.INBOUND)
        done = await callbacks.intake.take(Carrier.TWILIO, read)
        return Response(twiml(done.said_back), media_type="text/xml")

    @router.post(
        "/twilio/{attempt_id}",
        status_code=204,
        summary="What became of one SMS, signed by Twilio",
        dependencies=signed,
        openapi_extra=FORM,
    )
    async def post_twilio_status(attempt_id: str, request: Request) -> Response:
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
