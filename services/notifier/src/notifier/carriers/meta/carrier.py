"""WhatsApp in the shape of Meta's Cloud API.

Outside a patient's 24 h window WhatsApp takes only templates approved beforehand: a name, a language and
numbered parameters. Our own templates play no part here. The names below are those to have approved, if the
file of senders maps no others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import httpx2
import orjson
from pydantic import SecretStr

from notifier.carriers.faults import by_code, of_http
from notifier.carriers.http_client import answer_to, text
from notifier.carriers.port import CannotCompose, Made, NoTemplate
from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import Call
from notifier.wording.domain.language import LAST_RESORT
from notifier.wording.sentences import at_whatsapp
from notifier.wording.words import Words, words_of
from schemas.notifications import Kind

META = by_code(
    ACCOUNT="0 3 10 33 190 368 130403 131005 131031 131037 131042 131045 131057 133005 133006 133010",
    SENDER="130497 131047 132000 132001 132007 132012 132015 132016 132068 135000",
    THROTTLE="4 80007 130429 131048 133016",
    FOR_NOW="131056 132069",
    CARRIER="1 2 131000 131016 133004 133015",
    MESSAGE="100 130472 131008 131009 131021 131026 131049 131050 131051 131052 131053 132005",
)
"""131056 is of one patient's number alone. 200 to 299, permissions, are the account's, see `of_meta`.

"WhatsApp error codes" (developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes)."""


def of_meta(status: int, code: int | None) -> Fault:
    """Return whose fault an answer of Meta's is.

    Args:
        code: `error.code` of the body; None without one.
    """
    if code is not None and 200 <= code <= 299:
        return Fault.ACCOUNT
    return of_http(META, status, code)


GRAPH = "v21.0"
"""Version of the Graph API if no other is set; Meta keeps one for about two years."""

NEUTRAL = "_neutral"
"""Suffix of the templates for sensitive clinics, without the clinic (D35), unless they have a name of their own."""

NO_NAME = "-"
"""WhatsApp takes no empty parameter."""

type Parameter = Literal["name", "clinic", "date", "time", "short_date", "code", "lacking", "link"]

PARAMETERS: tuple[Parameter, ...] = ("name", "clinic", "date", "time")
"""Words that a template is given unless it was approved with others; `time` carries the zone where it is needed."""


@dataclass(frozen=True, slots=True)
class WhatsAppTemplate:
    """A template as it was approved.

    Attributes:
        neutral: For sensitive ones; its parameters are the same without the clinic.
        languages: Our language → the code that it was approved under, such as `en_GB`.
    """

    name: str
    neutral: str
    languages: Mapping[str, str] = field(default_factory=at_whatsapp)
    parameters: tuple[Parameter, ...] = PARAMETERS

    @property
    def tells_of_several(self) -> bool:
        """Say whether it can tell of several visits: it lists their times, and asks for no code, which names one."""
        return "time" in self.parameters and "code" not in self.parameters


def _usual(name: str) -> WhatsAppTemplate:
    return WhatsAppTemplate(name, name + NEUTRAL)


TEMPLATES: Mapping[Kind, WhatsAppTemplate] = {
    Kind.CONFIRMATION: _usual("appointment_confirmation"),
    Kind.MOVED: _usual("appointment_moved"),
    Kind.CANCELLED: _usual("appointment_cancelled"),
    Kind.REMINDER: _usual("appointment_reminder"),
    Kind.TODAY: _usual("appointment_today"),
    Kind.NO_SHOW: _usual("appointment_missed"),
}
"""A notice of what is missing has none unless the file of senders maps one, approved with `lacking`: it takes the next
channel."""


@dataclass(frozen=True, slots=True)
class MetaAccount:
    """Whose messages these are, and what they may say.

    Attributes:
        version: Of the Graph API.
        business_account_id: The WhatsApp Business Account, which holds the templates; None: they are not asked for.
    """

    phone_number_id: str
    access_token: SecretStr
    version: str = GRAPH
    business_account_id: str | None = None
    templates: Mapping[Kind, WhatsAppTemplate] = field(default_factory=lambda: TEMPLATES)
    app_secrets: tuple[SecretStr, ...] = ()


class WhatsAppCarrier:
    """See `lanes.handle.lane.Carrier`."""

    def __init__(self, client: httpx2.AsyncClient, account_of: Callable[[str], MetaAccount]) -> None:
        self._client, self._account_of = client, account_of

    def prepare(self, call: Call) -> Made:
        account = self._account_of(call.visit.clinic_id)
        template = account.templates.get(call.kind)
        if template is None:
            raise NoTemplate
        try:
            body = body_of(call, template)
        except (ValueError, LookupError) as error:
            raise CannotCompose(type(error).__name__) from error
        request = self._client.build_request(
            "POST",
            f"/{account.version}/{account.phone_number_id}/messages",
            content=orjson.dumps(body),
            headers={
                "Content-Type": "application/json",
                "Authorization": f"Bearer {account.access_token.get_secret_value()}",
            },
        )
        return partial(answer_to, self._client, request, _message_id, of_meta)

    def tells_of_several(self, clinic_id: str, kind: Kind) -> bool:
        template = self._account_of(clinic_id).templates.get(kind)
        return template is not None and template.tells_of_several

    async def close(self) -> None:
        await self._client.aclose()


def body_of(call: Call, template: WhatsAppTemplate) -> dict[str, Any]:
    """Return the request's JSON; the attempt's id travels as opaque callback data."""
    available = template.languages
    last_resort = LAST_RESORT if LAST_RESORT in available else next(iter(available), LAST_RESORT)
    words = words_of(call, available, last_resort=last_resort)
    named = [each for each in template.parameters if each != "clinic" or words.clinic]
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": call.route.address,
        "type": "template",
        "template": {
            "name": template.name if words.clinic else template.neutral,
            "language": {"code": available[words.language]},
            "components": [
                {"type": "body", "parameters": [{"type": "text", "text": _parameter(words, each)} for each in named]}
            ],
        },
        "biz_opaque_callback_data": str(call.attempt_id),
    }


def _parameter(words: Words, name: str) -> str:
    if name == "time":
        return f"{words.times} ({words.zone})" if words.zone else words.times
    return str(getattr(words, name)) or NO_NAME


def _message_id(reply: Any) -> str:
    return text(reply["messages"][0]["id"])
