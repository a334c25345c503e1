"""Meta's callbacks, read: a body may carry many statuses and many patients' answers.

Shape: developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from notifier.adapters.callbacks.twilio import Unreadable
from notifier.domain.receipts import Carrier, Receipt, Reported
from notifier.handle.replies import Incoming
from schemas.notifications import Channel

STATUSES: dict[str, Reported] = {
    "sent": Reported.ACCEPTED,
    "delivered": Reported.DELIVERED,
    "read": Reported.READ,
    "played": Reported.READ,
    "failed": Reported.UNDELIVERED,
}
MOST = 1_000
LATEST_S = 4_102_444_800
"""2100-01-01: later instants are no instants."""


def read(body: bytes) -> tuple[list[Receipt], list[Incoming]]:
    """Return every report and every answer in a body; parts of other kinds are passed over.

    Raises:
        Unreadable: Not JSON, or not of a webhook's shape.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise Unreadable("JSON") from None
    receipts: list[Receipt] = []
    answers: list[Incoming] = []
    try:
        for part in _values(value):
            receipts += [report for status in part.get("statuses") or () if (report := _receipt(status))]
            answers += [incoming for message in part.get("messages") or () if (incoming := _incoming(message))]
    except (AttributeError, TypeError, KeyError):
        raise Unreadable("entry") from None
    if len(receipts) + len(answers) > MOST:
        raise Unreadable("entry")
    return receipts, answers


def _values(value: Any) -> Iterator[Any]:
    for entry in value["entry"]:
        for change in entry["changes"]:
            yield change["value"]


def _receipt(status: Any) -> Receipt | None:
    reference, said = status["id"], STATUSES.get(status["status"])
    if said is None:
        return None
    if not isinstance(reference, str) or not 0 < len(reference) <= 200:
        raise TypeError
    attempt = _uuid(status.get("biz_opaque_callback_data"))
    return Receipt(
        carrier=Carrier.META,
        key=f"{reference}/{status['status']}/{attempt or ''}",
        status=said,
        attempt_id=attempt,
        reference=reference,
        code=_code(status.get("errors")),
        occurred_at=_instant(status.get("timestamp")),
    )


def _incoming(message: Any) -> Incoming | None:
    """Return a patient's text or button; other kinds (pictures, reactions) are not for a machine: text is empty."""
    message_id, sender = message["id"], message["from"]
    if not isinstance(message_id, str) or not isinstance(sender, str) or not sender.isdecimal() or len(sender) > 20:
        raise TypeError
    text = (message.get("text") or {}).get("body") or (message.get("button") or {}).get("text") or ""
    if message.get("type") in {"system", "reaction"}:
        return None
    if not isinstance(text, str):
        raise TypeError
    sent_at = _instant(message.get("timestamp"))
    return Incoming(Channel.WHATSAPP, f"meta/{message_id[:200]}", f"+{sender}", text, sent_at=sent_at)


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _code(errors: Any) -> str | None:
    code = errors[0].get("code") if isinstance(errors, list) and errors else None
    return f"META_{code}" if isinstance(code, int) and 0 <= code < 10_000_000 else None


def _instant(timestamp: object) -> datetime | None:
    """Return Unix seconds as an instant."""
    text = str(timestamp)
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else LATEST_S
    return datetime.fromtimestamp(seconds, UTC) if seconds < LATEST_S else None
