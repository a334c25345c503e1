"""WhatsApp in the shape of Meta's Cloud API.

Outside a patient's 24 h window WhatsApp takes only templates approved beforehand: a name, a language and
numbered parameters. Our own templates play no part here. The names below are those to have approved.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
from pydantic import SecretStr

from notifier.adapters.carriers.http import answer_to, text
from notifier.adapters.templates import Words, words_of
from notifier.domain.ledger import Call
from notifier.handle.loop import CannotCompose, Made
from schemas.notifications import Kind

TEMPLATES: dict[Kind, str] = {
    Kind.CONFIRMATION: "appointment_confirmation",
    Kind.REMINDER: "appointment_reminder",
}
"""Parameters: first name, clinic, date, time with its zone if that may confuse."""

NEUTRAL = "_neutral"
"""Suffix of the templates for sensitive clinics, without the clinic (D35)."""

NO_NAME = "-"
"""WhatsApp takes no empty parameter."""


@dataclass(frozen=True, slots=True)
class MetaAccount:
    """Whose messages these are."""

    phone_number_id: str
    access_token: SecretStr
    version: str = "v21.0"


class WhatsAppCarrier:
    """See `handle.loop.Carrier`."""

    def __init__(self, client: httpx2.AsyncClient, account: MetaAccount) -> None:
        self._client, self._account = client, account

    def prepare(self, call: Call) -> Made:
        """See `handle.loop.Carrier`."""
        if call.kind not in TEMPLATES:
            raise CannotCompose("NO_TEMPLATE")
        try:
            body = body_of(call, words_of(call))
        except (ValueError, LookupError) as error:
            raise CannotCompose(type(error).__name__) from error
        account = self._account
        request = self._client.build_request(
            "POST",
            f"/{account.version}/{account.phone_number_id}/messages",
            json=body,
            headers={"Authorization": f"Bearer {account.access_token.get_secret_value()}"},
        )
        return partial(answer_to, self._client, request, _message_id)

    async def close(self) -> None:
        """See `handle.loop.Carrier`."""
        await self._client.aclose()


def body_of(call: Call, words: Words) -> dict[str, Any]:
    """Return the request's JSON; the attempt's id travels as opaque callback data."""
    time = f"{words.time} ({words.zone})" if words.zone else words.time
    parameters = [words.name or NO_NAME, *([words.clinic] if words.clinic else []), words.date, time]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": call.route.address,
        "type": "template",
        "template": {
            "name": TEMPLATES[call.kind] + ("" if words.clinic else NEUTRAL),
            "language": {"code": words.language},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": value} for value in parameters]}],
        },
        "biz_opaque_callback_data": str(call.attempt_id),
    }


def _message_id(reply: Any) -> str:
    return text(reply["messages"][0]["id"])
