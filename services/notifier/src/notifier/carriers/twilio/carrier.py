"""SMS in the shape of Twilio's Messages resource."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2
from jinja2 import TemplateError
from pydantic import SecretStr

from notifier.carriers.faults import by_code, of_http
from notifier.carriers.http_client import answer_to, text
from notifier.carriers.port import CannotCompose, Made
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Call
from notifier.wording.renderer import Templates
from notifier.wording.words import NORTH_AMERICA, worded_as, words_of
from schemas.notifications import Kind

TWILIO = by_code(
    ACCOUNT="10001 20002 20003 20005 20006 20008 20010 20101 20104 20403 30002",
    SENDER="21212 21408 21603 21606 21608 21659 21660 21661 21701 21702 21703 21704 21705 21710 21712",
    THROTTLE="20429 21611 14107 30001 63018",
    CARRIER="20500 20503",
    MESSAGE="21211 21214 21217 21265 21266 21604 21610 21612 21614 21617 21619 21635",
)
"""By Twilio's error dictionary (twilio.com/docs/api/errors)."""


def of_twilio(status: int, code: int | None) -> Fault:
    """Return whose fault an answer of Twilio's is; `code` is the body's."""
    return of_http(TWILIO, status, code)


LONGEST_BODY = 1600
"""Twilio's limit."""

SHORTEST_VALIDITY, LONGEST_VALIDITY = timedelta(seconds=1), timedelta(hours=10)
"""Twilio's limits of `ValidityPeriod` (its errors 90007 and 30045)."""

_UNTIL_TWILIO = timedelta(seconds=15)
"""From the gate until Twilio has it, where its count begins: 5 s in line, and a call of 10 s."""

_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_CALLABLE = re.compile(r"\+?\d+")


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """Whose messages these are.

    Attributes:
        sender: A number in E.164, a short code, a name of up to 11 letters and digits, or a MessagingServiceSid.
        callback_base_url: Public address for receipts; with it the attempt's id reaches the carrier.
        stop_countries: Countries (ISO 3166) to whose numbers an SMS tells how to opt out.
    """

    sid: str
    auth_token: SecretStr
    sender: str
    callback_base_url: str | None = None
    stop_countries: frozenset[str] = NORTH_AMERICA

    @property
    def takes_answers(self) -> bool:
        """Say whether a patient can answer: not to a name."""
        return self.is_service or _CALLABLE.fullmatch(self.sender) is not None

    @property
    def is_service(self) -> bool:
        """Say whether Twilio chooses the number, out of those of a messaging service."""
        return _SERVICE.fullmatch(self.sender) is not None


class SmsCarrier:
    """See `lanes.handle.lane.Carrier`."""

    def __init__(
        self, client: httpx2.AsyncClient, account_of: Callable[[str], TwilioAccount], templates: Templates
    ) -> None:
        self._client, self._account_of, self._templates = client, account_of, templates

    def prepare(self, call: Call) -> Made:
        account = self._account_of(call.visit.clinic_id)
        try:
            body = sms_of(call, self._templates, account)
        except (TemplateError, ValueError, LookupError) as error:
            raise CannotCompose(type(error).__name__) from error
        form = f"To={quote_plus(call.route.address)}&Body={quote_plus(body[:LONGEST_BODY])}&{_sender(account)}"
        form += f"&ValidityPeriod={validity_s(call)}"
        if account.callback_base_url:
            form += f"&StatusCallback={_callbacks(account.callback_base_url)}{call.attempt_id}"
        request = self._client.build_request(
            "POST",
            f"/2010-04-01/Accounts/{account.sid}/Messages.json",
            content=form.encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded", "Authorization": _login(account)},
        )
        return partial(answer_to, self._client, request, _sid, of_twilio)

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        return self._templates.tells_of_several(clinic_id, kind.value)

    async def close(self) -> None:
        await self._client.aclose()


def sms_of(call: Call, templates: Templates, account: TwilioAccount) -> str:
    """Return the text."""
    clinic_id, kind = call.visit.clinic_id, worded_as(call)
    words = words_of(
        call,
        templates.languages(clinic_id, kind),
        stop_countries=account.stop_countries,
        answers=account.takes_answers,
    )
    return templates.render(clinic_id, kind, "sms.txt", words)


def validity_s(call: Call) -> int:
    """Return for how many seconds Twilio may keep an SMS: what it cannot hand over by then never arrives.

    So a queue at Twilio takes none into the night, or past its visit.
    """
    left = call.arrives_by - call.at - _UNTIL_TWILIO
    return int(min(max(left, SHORTEST_VALIDITY), LONGEST_VALIDITY).total_seconds())


@lru_cache(maxsize=1024)
def _sender(account: TwilioAccount) -> str:
    return urlencode({"MessagingServiceSid" if account.is_service else "From": account.sender})


def _login(account: TwilioAccount) -> str:
    pair = f"{account.sid}:{account.auth_token.get_secret_value()}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


@lru_cache(maxsize=16)
def _callbacks(base_url: str) -> str:
    return quote_plus(f"{base_url.rstrip('/')}/callbacks/twilio/")


def _sid(reply: Any) -> str:
    return text(reply["sid"])
