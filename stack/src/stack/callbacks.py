"""What carriers send back, signed as they sign: a patient's answer, and what became of a message.

A patient answers on command (`POST /inbound`), if the sinks know where to (`SINKS_CALLBACK_URL`) and the account's
secret (`SINKS_TWILIO_AUTH_TOKEN`). With `SINKS_RECEIPTS=1` every accepted SMS and WhatsApp message is also reported
as delivered, the latter if the app's secret is known too (`SINKS_META_APP_SECRET`); without it none is.

Twilio signs with base64 of the HMAC-SHA1, keyed with the auth token, over the URL followed by each form field's
name and value, sorted by name (twilio.com/docs/usage/security); Meta with the hex HMAC-SHA256 over the body, keyed
with the app's secret (developers.facebook.com/docs/graph-api/webhooks/getting-started).
"""

import asyncio
import base64
import hmac
import logging
from collections.abc import Coroutine, Mapping
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4
from xml.etree import ElementTree

import httpx2
import orjson
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from stack.accepted import AcceptanceLog

warner = logging.getLogger(__name__)

TIMEOUT_S = 10.0
OUR_NUMBER = "+15005550006"
FIRST_NOT_TAKEN = 300


class Answer(BaseModel):
    """A text message from a patient. `sender`: his number in E.164."""

    model_config = ConfigDict(extra="forbid")

    sender: str = Field(pattern=r"^\+[0-9]{7,15}$")
    body: str


class Back:
    """Posts to the notifier what a carrier would."""

    def __init__(self, url: str, auth_token: str, app_secret: str | None = None, *, receipts: bool = False) -> None:
        self._url, self._auth_token, self._app_secret = url.rstrip("/"), auth_token, app_secret
        self._receipts = receipts
        self._client = httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        self._under_way: set[asyncio.Task[None]] = set()

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Back | None":
        """Return what the settings say; None if they do not say where to."""
        url, token = environ.get("SINKS_CALLBACK_URL"), environ.get("SINKS_TWILIO_AUTH_TOKEN")
        if not url or not token:
            return None
        return cls(url, token, environ.get("SINKS_META_APP_SECRET"), receipts=environ.get("SINKS_RECEIPTS") == "1")

    async def answer(self, given: Answer) -> tuple[int, list[str]]:
        """Post a patient's SMS, and return the status of what came back and the texts that it says back to him."""
        form = {"MessageSid": f"SM{uuid4().hex}", "From": given.sender, "To": OUR_NUMBER, "Body": given.body}
        came = await self._twilio(f"{self._url}/callbacks/twilio/inbound", form)
        if came.status_code >= FIRST_NOT_TAKEN or not came.content:
            return came.status_code, []
        response = ElementTree.fromstring(came.content)  # noqa: S314  # of our own notifier
        return came.status_code, [message.text or "" for message in response.iter("Message")]

    def delivered_sms(self, status_callback: str | None, sid: str, to: str) -> None:
        """Report an accepted SMS as delivered, soon, to the address that came with it."""
        if self._receipts and status_callback:
            form = {"MessageSid": sid, "MessageStatus": "delivered", "To": to, "From": OUR_NUMBER}
            self._soon(self._twilio(status_callback, form))

    def delivered_whatsapp(self, wamid: str, reference: str | None, to: str) -> None:
        """Report an accepted WhatsApp message as delivered, soon."""
        if self._receipts and self._app_secret:
            status = {"id": wamid, "status": "delivered", "recipient_id": to, "biz_opaque_callback_data": reference}
            change = {"field": "messages", "value": {"messaging_product": "whatsapp", "statuses": [status]}}
            body = {"object": "whatsapp_business_account", "entry": [{"id": "0", "changes": [change]}]}
            self._soon(self._meta(orjson.dumps(body), self._app_secret))

    async def _twilio(self, address: str, form: dict[str, str]) -> httpx2.Response:
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": twilio_signature(self._auth_token, address, form),
        }
        return await self._client.post(address, content=urlencode(form).encode(), headers=headers)

    async def _meta(self, body: bytes, secret: str) -> httpx2.Response:
        signature = f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}"
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": signature}
        return await self._client.post(f"{self._url}/callbacks/meta", content=body, headers=headers)

    def _soon(self, posting: Coroutine[Any, Any, httpx2.Response]) -> None:
        """Post after the carrier's own answer; one that is not taken is said in the log and not repeated."""

        async def post() -> None:
            try:
                status = (await posting).status_code
            except httpx2.HTTPError as error:
                warner.warning("a receipt was not taken: %s", type(error).__name__)
                return
            if status >= FIRST_NOT_TAKEN:
                warner.warning("a receipt was not taken: %s", status)

        task = asyncio.create_task(post())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


def twilio_signature(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    """Return the signature that Twilio gives a form posted to this URL."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def routes(back: Back | None, log: AcceptanceLog) -> APIRouter:
    """Return the call by which a patient answers; 409 if nobody said where answers go.

    What his answer is answered goes to him as an SMS: it is in the log.
    """
    api = APIRouter()

    @api.post("/inbound", status_code=204)
    async def inbound(given: Answer) -> None:
        """Let a patient answer; 502 if the answer was not taken."""
        if back is None:
            raise HTTPException(409, "SINKS_CALLBACK_URL and SINKS_TWILIO_AUTH_TOKEN say where answers go")
        status, texts = await back.answer(given)
        if status >= FIRST_NOT_TAKEN:
            raise HTTPException(502, f"not taken: {status}")
        for text in texts:
            log.accept("sms", given.sender, None, text)

    return api
