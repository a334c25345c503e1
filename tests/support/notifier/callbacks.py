"""What carriers call back with, signed as they sign it."""

from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson

from notifier.carriers.meta.signature import meta_signature
from notifier.carriers.twilio.signature import twilio_signature
from tests.support.notifier.running import RunningNotifier
from tests.support.plain_http import plain_client

TOKEN, APP_SECRET, BOUNCE_SECRET = "of twilio", "of meta", "of the mail server"
VERIFY = "the verify token"
PUBLIC = "https://clinic.example"
"""Not where the test calls: a proxy stands between, as it does outside."""


def secrets(**changes: Any) -> dict[str, Any]:
    """Return the settings with which callbacks can be told from forgeries."""
    return {
        "callback_base_url": PUBLIC,
        "twilio_auth_token": TOKEN,
        "meta_app_secret": APP_SECRET,
        "meta_verify_token": VERIFY,
        "bounce_secret": BOUNCE_SECRET,
        **changes,
    }


async def twilio(notifier: RunningNotifier, path: str, token: str = TOKEN, **fields: str) -> httpx2.Response:
    """Post a form as Twilio does."""
    signature = twilio_signature(token, PUBLIC + path, fields.items())
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    return await bare(notifier, path, urlencode(fields).encode(), headers)


async def status(
    notifier: RunningNotifier, attempt: object, said: str, sid: str = "SM1", **more: str
) -> httpx2.Response:
    """Post the status of one SMS."""
    return await twilio(notifier, f"/callbacks/twilio/{attempt}", MessageSid=sid, MessageStatus=said, **more)


async def sms(notifier: RunningNotifier, sender: str, text: str, sid: str = "SM-in", **more: str) -> httpx2.Response:
    """Post an SMS that a patient sent."""
    return await twilio(notifier, "/callbacks/twilio/inbound", MessageSid=sid, From=sender, Body=text, **more)


async def meta(notifier: RunningNotifier, secret: str = APP_SECRET, **value: Any) -> httpx2.Response:
    """Post a webhook as Meta does."""
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", **value}}
    body = orjson.dumps({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]})
    return await bare(notifier, "/callbacks/meta", body, {"X-Hub-Signature-256": meta_signature(secret, body)})


async def bare(
    notifier: RunningNotifier, path: str, body: bytes, headers: dict[str, str] | None = None
) -> httpx2.Response:
    """Post without the operator's key."""
    async with plain_client(timeout=30) as http:
        return await http.post(f"http://127.0.0.1:{notifier.port}{path}", content=body, headers=headers or {})
