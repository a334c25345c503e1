"""Returned mails: delivery status notifications of RFC 3464, read with the standard library's parser.

Which attempt it was about, in this order: `Original-Envelope-Id` (our ENVID is the attempt's id), then the
`Message-ID` of the mail or headers that came back (`<attempt@domain>`). What it says of a recipient:

| Action | Status | report |
|---|---|---|
| failed | 4.x.x, 5.x.x | undelivered: the server has given up |
| delayed | any | nothing: it is still trying |
| delivered | 2.x.x | delivered |
| relayed, expanded | any | accepted: it went where nobody reports |
"""

import re
from collections.abc import Iterable, Iterator
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from uuid import UUID

from notifier.callbacks.handle.intake import Batch, Item, Unread
from notifier.receipts.domain import Carrier, Receipt, Reported

ACTIONS: dict[str, Reported] = {
    "failed": Reported.UNDELIVERED,
    "delivered": Reported.DELIVERED,
    "relayed": Reported.ACCEPTED,
    "expanded": Reported.ACCEPTED,
}
SILENT = frozenset({"delayed"})
MOST_PARTS = 100
LARGEST_MAIL = 1024 * 1024
"""A bounce may bring the whole mail back."""
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_PARSER = BytesParser(policy=policy.compat32)
"""The oldest policy: it takes headers as they are, where the newer one stops at broken ones."""


_BROKEN = (MessageError, LookupError, TypeError, AttributeError, RecursionError, ValueError)
"""What the parser raises at mails that nobody should write."""


class NoBounce(ValueError):
    """A mail that is no delivery status notification, or is about none of our mails. No personal data in it."""


def read_mail(mail: bytes) -> Batch:
    """Return the reports in a returned mail, and the mail itself if it, or a part of its reports, cannot be read.

    There are none if it only says that a server is still trying.
    """
    if len(mail) > LARGEST_MAIL:
        return Batch(unread=[Unread("size", mail)])
    try:
        reports, odd = _read(_PARSER.parsebytes(mail))
    except NoBounce as error:
        return Batch(unread=[Unread(str(error), mail)])
    except _BROKEN:
        return Batch(unread=[Unread("mail", mail)])
    return Batch([Item(one, mail) for one in reports], unread=[Unread("recipient", mail)] if odd else ())


def _read(message: Message) -> tuple[list[Receipt], int]:
    """Return the reports, and how many more recipients there are whose report cannot be read."""
    parts = _some(message.walk())
    status = next((part for part in parts if part.get_content_type() == "message/delivery-status"), None)
    if status is None:
        raise NoBounce("message/delivery-status")
    blocks = status.get_payload()
    if not isinstance(blocks, list) or not blocks:
        raise NoBounce("message/delivery-status")
    attempt = _attempt(blocks[0], parts)
    if attempt is None:
        raise NoBounce("Original-Envelope-Id and Message-ID")
    reports: dict[str, Receipt] = {}
    odd = 0
    for block in blocks:
        try:
            report = _report(block, attempt)
        except _BROKEN:
            odd += 1
        else:
            reports |= {report.key: report} if report else {}
    return list(reports.values()), odd


def _report(block: object, attempt: UUID) -> Receipt | None:
    if not isinstance(block, Message):
        raise NoBounce("recipient")
    if block["Action"] is None:
        return None
    action = str(block["Action"]).split(";")[0].split("(")[0].strip().lower()
    found = _STATUS.search(str(block["Status"] or ""))
    said = ACTIONS.get(action)
    if said is None:
        if action in SILENT:
            return None
        raise NoBounce("Action")
    code = f"DSN_{found[0]}" if found else f"DSN_{action.upper()}"
    return Receipt(Carrier.EMAIL, f"{attempt}/{action}/{code}", said, attempt_id=attempt, code=code)


def _attempt(first: object, parts: Iterable[Message]) -> UUID | None:
    envelope = str(first["Original-Envelope-Id"] or "") if isinstance(first, Message) else ""
    if found := _UUID.search(envelope):
        return UUID(found[0])
    for part in parts:
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            returned = _PARSER.parsebytes(payload, headersonly=True) if isinstance(payload, bytes) else part
        elif part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            returned = inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], Message) else part
        else:
            continue
        if found := _UUID.search(str(returned["Message-ID"] or "")):
            return UUID(found[0])
    return None


def _some(parts: Iterator[Message]) -> list[Message]:
    found = []
    for part in parts:
        found.append(part)
        if len(found) > MOST_PARTS:
            raise NoBounce("mail")
    return found
