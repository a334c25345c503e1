"""Twilio's list of messages, asked for one number (twilio.com/docs/messaging/api/message-resource, "Read multiple")."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import orjson

from notifier.carriers.twilio.carrier import TwilioAccount
from notifier.carriers.twilio.domain import Listed

PAGE = 50
"""The newest; a patient gets a few messages a day."""
LONGEST_REPLY = 1 << 20


THIS_ALONE = frozenset({400, 404, 410, 422})
"""Answers that are about what was asked, not about the account."""


class NoList(Exception):
    """The carrier did not list; ask again later.

    Attributes:
        alone: It is about this number: the account may list others.
    """

    def __init__(self, code: str, *, alone: bool = False) -> None:
        super().__init__(code)
        self.alone = alone


async def messages_to(
    client: httpx2.AsyncClient, account: TwilioAccount, address: str, since: datetime
) -> Sequence[Listed]:
    """Return the messages that this account sent to a number since that day (GMT), each as far as it can be read."""
    pair = base64.b64encode(f"{account.sid}:{account.auth_token.get_secret_value()}".encode()).decode("ascii")
    asked = {"To": address, "DateSent>": since.astimezone(UTC).date().isoformat(), "PageSize": str(PAGE)}
    try:
        answer = await client.get(
            f"/2010-04-01/Accounts/{account.sid}/Messages.json",
            params=asked,
            headers={"Authorization": f"Basic {pair}"},
        )
        if not answer.is_success:
            raise NoList(f"HTTP_{answer.status_code}", alone=answer.status_code in THIS_ALONE)
        found = orjson.loads(answer.content[:LONGEST_REPLY])["messages"]
        return [listed for one in found if (listed := _listed(one))]
    except (httpx2.HTTPError, orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise NoList(type(error).__name__) from error


def _listed(one: Any) -> Listed | None:
    """Return a message of the list; None for one that a patient sent."""
    held = one if isinstance(one, dict) else {}
    if str(held.get("direction", "outbound")).startswith("inbound"):
        return None
    return Listed(str(held.get("sid", "")), str(held.get("status", "")), _instant(held.get("date_created")))


def _instant(text: object) -> datetime | None:
    try:
        created_at = parsedate_to_datetime(str(text))
    except ValueError:
        return None
    return created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC)
