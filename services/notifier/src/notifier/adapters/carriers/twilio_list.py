"""Twilio's list of messages, asked for one number (twilio.com/docs/messaging/api/message-resource, "Read multiple")."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import orjson

from notifier.adapters.carriers.sms import TwilioAccount
from notifier.domain.looking_up import Listed

PAGE = 50
"""The newest; a patient gets a few messages a day."""
LONGEST_REPLY = 1 << 20


class NoList(Exception):
    """The carrier did not list; ask again later."""


async def messages_to(
    client: httpx2.AsyncClient, account: TwilioAccount, address: str, since: datetime
) -> Sequence[Listed]:
    """Return the messages that this account sent to a number since that day (GMT).

    Raises:
        NoList: No answer, or none that can be read.
    """
    pair = base64.b64encode(f"{account.sid}:{account.auth_token.get_secret_value()}".encode()).decode("ascii")
    asked = {"To": address, "DateSent>": since.astimezone(UTC).date().isoformat(), "PageSize": str(PAGE)}
    try:
        answer = await client.get(
            f"/2010-04-01/Accounts/{account.sid}/Messages.json",
            params=asked,
            headers={"Authorization": f"Basic {pair}"},
        )
        if not answer.is_success:
            raise NoList(f"HTTP_{answer.status_code}")
        found = orjson.loads(answer.content[:LONGEST_REPLY])["messages"]
        return [_listed(one) for one in found if str(one["direction"]).startswith("outbound")]
    except (httpx2.HTTPError, orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise NoList(type(error).__name__) from error


def _listed(one: Any) -> Listed:
    created_at = parsedate_to_datetime(one["date_created"])
    return Listed(
        str(one["sid"]), str(one["status"]), created_at if created_at.tzinfo else created_at.replace(tzinfo=UTC)
    )
