"""What carriers send back: a patient's answer, as Twilio would post it, signed.

The sinks do so on command (`POST /inbound`), if they know where to (`SINKS_CALLBACK_URL`) and the account's
secret (`SINKS_TWILIO_AUTH_TOKEN`). The signature: base64 of the HMAC-SHA1, keyed with the auth token, over the URL
followed by each form field's name and value, sorted by name (twilio.com/docs/usage/security).
"""

import base64
import hmac
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

INBOUND = "/callbacks/twilio/inbound"
TIMEOUT_S = 10.0


class Answer(BaseModel):
    """A text message from a patient. `sender`: his number in E.164."""

    model_config = ConfigDict(extra="forbid")

    sender: str = Field(pattern=r"^\+[0-9]{7,15}$")
    body: str


@dataclass(frozen=True, slots=True)
class Back:
    """Where answers go.

    Attributes:
        url: The notifier's public address.
        auth_token: The account's.
        number: Ours, which the patient answers to.
    """

    url: str
    auth_token: str
    number: str = "+15005550006"

    async def deliver(self, answer: Answer) -> int:
        """Post the answer and return the status of what came back.

        Raises:
            httpx2.HTTPError: Nobody answered.
        """
        address = f"{self.url.rstrip('/')}{INBOUND}"
        form = {"MessageSid": f"SM{uuid4().hex}", "From": answer.sender, "To": self.number, "Body": answer.body}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": signature(self.auth_token, address, form),
        }
        async with httpx2.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            return (await client.post(address, content=urlencode(form).encode(), headers=headers)).status_code


def signature(auth_token: str, url: str, form: dict[str, str]) -> str:
    """Return the signature that Twilio gives a form posted to this URL."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), "sha1")).decode()


def routes(back: Back | None) -> APIRouter:
    """Return the call by which a patient answers; 409 if nobody said where answers go."""
    api = APIRouter()

    @api.post("/inbound", status_code=204)
    async def inbound(answer: Answer) -> None:
        """Let a patient answer; 502 if the answer was not taken."""
        if back is None:
            raise HTTPException(409, "SINKS_CALLBACK_URL and SINKS_TWILIO_AUTH_TOKEN say where answers go")
        status = await back.deliver(answer)
        if status >= 300:
            raise HTTPException(502, f"not taken: {status}")

    return api
