"""Which of the WhatsApp templates that we send are approved, as Meta says.

Source: "Template Management" (developers.facebook.com/docs/whatsapp/business-management-api/message-templates): GET
`/<version>/<business account>/message_templates`, a page at a time; a template that is not `APPROVED` is refused with
132001, 132015 or 132016.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
import orjson

from notifier.carriers.http_client import text
from notifier.carriers.meta.carrier import MetaAccount

APPROVED = "APPROVED"
MISSING = "MISSING"
"""Meta has none of this name in this language."""

PAGE, MOST_PAGES = 100, 100

type Approvals = Mapping[tuple[str, str], str]
"""(name, Meta's code of the language) → status, such as `APPROVED`, `PENDING`, `REJECTED` or `PAUSED`."""


class NoAnswer(Exception):
    """Meta did not say; the message is HTTP's status, or the kind of break."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One template that we send, in one language.

    Attributes:
        kind: Of the messages that it says.
        status: As Meta calls it; `MISSING` if it has none.
    """

    kind: str
    name: str
    language: str
    status: str


async def report(client: httpx2.AsyncClient, account: MetaAccount) -> list[str]:
    """Return a line for how many of our templates are approved, and one for each that is not; or why Meta is silent."""
    place = f"WhatsApp {account.business_account_id}:"
    try:
        found = list(approvals(account, await asked(client, account)))
    except NoAnswer as error:
        return [f"{place} Meta did not say which templates are approved: {error}"]
    others = [one for one in found if one.status != APPROVED]
    lines = [f"{place} {one.name} in {one.language} ({one.kind}) is {one.status}" for one in others]
    return [f"{place} {len(found) - len(others)} of {len(found)} templates are {APPROVED}", *lines]


async def asked(client: httpx2.AsyncClient, account: MetaAccount) -> Approvals:
    """Return the status of every template of the account's WhatsApp Business Account.

    Raises:
        NoAnswer: Meta refused, or could not be reached or read.
    """
    found: dict[tuple[str, str], str] = {}
    asks = {"fields": "name,language,status", "limit": str(PAGE)}
    try:
        for _ in range(MOST_PAGES):
            page = await _page(client, account, asks)
            found |= {(text(one["name"]), text(one["language"])): text(one["status"]) for one in page["data"]}
            paging = page.get("paging", {})
            if "next" not in paging:
                return found
            asks["after"] = text(paging["cursors"]["after"])
    except httpx2.HTTPError as error:
        raise NoAnswer(type(error).__name__) from error
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError) as error:
        raise NoAnswer("UNREADABLE") from error
    raise NoAnswer("TOO_MANY_PAGES")


async def _page(client: httpx2.AsyncClient, account: MetaAccount, asks: Mapping[str, str]) -> Any:
    answer = await client.get(
        f"/{account.version}/{account.business_account_id}/message_templates",
        params=asks,
        headers={"Authorization": f"Bearer {account.access_token.get_secret_value()}"},
    )
    if not answer.is_success:
        raise NoAnswer(f"HTTP_{answer.status_code}")
    return orjson.loads(answer.content)


def approvals(account: MetaAccount, said: Approvals) -> Iterator[Approval]:
    """Give what becomes of each template that the account's messages use, in every language they are mapped to."""
    for kind, template in account.templates.items():
        for name in (template.name, template.neutral):
            for code in sorted(set(template.languages.values())):
                yield Approval(kind.value, name, code, said.get((name, code), MISSING))
