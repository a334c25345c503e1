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

from notifier.domain.receipts import Carrier, Receipt, Reported

ACTIONS: dict[str, Reported] = {
    "failed": Reported.UNDELIVERED,
    "delivered": Reported.DELIVERED,
    "relayed": Reported.ACCEPTED,
    "expanded": Reported.ACCEPTED,
}
MOST_PARTS = 100
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_STATUS = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})")
_PARSER = BytesParser(policy=policy.compat32)
"""The oldest policy: it takes headers as they are, where the newer one stops at broken ones."""


class NoBounce(ValueError):
    """A mail that is no delivery status notification, or is about none of our mails. No personal data in it."""


def read_bounce(mail: bytes) -> list[Receipt]:
    """Return the reports in a returned mail; none if it only says that a server is still trying.

    Raises:
        NoBounce: Not a delivery status notification, or not about a mail of ours.
    """
    try:
        return _read(_PARSER.parsebytes(mail))
    except (MessageError, LookupError, TypeError, AttributeError, RecursionError, UnicodeError):
        raise NoBounce("mail") from None


def _read(message: Message) -> list[Receipt]:
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
    recipients = [block for block in blocks if isinstance(block, Message) and block["Action"]]
    reports = {report.key: report for block in recipients if (report := _report(block, attempt))}
    return list(reports.values())


def _report(block: Message, attempt: UUID) -> Receipt | None:
    action = str(block["Action"]).split(";")[0].split("(")[0].strip().lower()
    found = _STATUS.search(str(block["Status"] or ""))
    said = ACTIONS.get(action)
    if said is None:
        return None
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
