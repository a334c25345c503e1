"""SMS in the shape of Twilio's Messages resource."""

import base64
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
from jinja2 import TemplateError
from pydantic import SecretStr

from notifier.adapters.carriers.http import answer_to, text
from notifier.adapters.templates import Templates, words_of
from notifier.domain.ledger import Call
from notifier.handle.loop import CannotCompose, Made

LONGEST_BODY = 1600
"""Twilio's limit."""


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Whose messages these are.

    Attributes:
        callback_base_url: Public address for receipts; with it the attempt's id reaches the carrier.
    """

    sid: str
    auth_token: SecretStr
    sender: str
    callback_base_url: str | None = None


class SmsCarrier:
    """See `handle.loop.Carrier`."""

    def __init__(self, client: httpx2.AsyncClient, account: TwilioAccount, templates: Templates) -> None:
        self._client, self._account, self._templates = client, account, templates

    def prepare(self, call: Call) -> Made:
        """See `handle.loop.Carrier`."""
        try:
            body = self._templates.render(call.visit.clinic_id, call.kind, "sms.txt", words_of(call))
        except (TemplateError, ValueError, LookupError) as error:
            raise CannotCompose(type(error).__name__) from error
        account = self._account
        form = {"To": call.route.address, "From": account.sender, "Body": body[:LONGEST_BODY]}
        if account.callback_base_url:
            form["StatusCallback"] = f"{account.callback_base_url.rstrip('/')}/callbacks/twilio/{call.attempt_id}"
        request = self._client.build_request(
            "POST",
            f"/2010-04-01/Accounts/{account.sid}/Messages.json",
            data=form,
            headers={"Authorization": _basic(account)},
        )
        return partial(answer_to, self._client, request, _sid)

    async def close(self) -> None:
        """See `handle.loop.Carrier`."""
        await self._client.aclose()


def _sid(reply: Any) -> str:
    return text(reply["sid"])


def _basic(account: TwilioAccount) -> str:
    pair = f"{account.sid}:{account.auth_token.get_secret_value()}".encode()
    return f"Basic {base64.b64encode(pair).decode()}"
