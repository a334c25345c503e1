"""Meta's callbacks, read item by item: a body may carry many statuses and many patients' answers.

Shape: developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components. An item that is not of its shape is
returned with its bytes; those beside it are read all the same.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from notifier.callbacks.handle.intake import Batch, Came, Item, Unread, user_ids
from notifier.receipts.domain import Carrier, Receipt, Reported
from notifier.replies.handle import Incoming
from schemas.notifications import Channel

BODY, ENTRY, CHANGE, STATUSES, MESSAGES = "body", "entry", "change", "statuses", "messages"
"""The forms of what is kept of a body: all of it, or a piece."""

REPORTED: dict[str, Reported] = {
    "sent": Reported.ACCEPTED,
    "delivered": Reported.DELIVERED,
    "read": Reported.READ,
    "played": Reported.READ,
    "failed": Reported.UNDELIVERED,
}
SILENT_STATUSES = frozenset({"warning", "pending", "deleted"})
SILENT = frozenset({"system", "reaction"})
"""Kinds of messages that answer nothing."""
LATEST_S = 4_102_444_800
"""2100-01-01: later instants are no instants."""


class _Odd(ValueError):
    """An item that is not of its shape. The message names the place, never a value."""


def read(body: bytes, signers: Collection[str], rest: str) -> Batch:
    """Return every report and every answer in a body, and what of it cannot be read; other kinds are passed over.

    Args:
        signers: The phone number ids for which it speaks: of another one's nothing is taken.
    """
    try:
        whole = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Batch(unread=[Unread("JSON", body, Came(BODY, _joined(signers)))])
    reports: list[Item[Receipt]] = []
    answers: list[Item[Incoming]] = []
    unread: list[Unread] = []
    by = _joined(signers)
    for change in _inside(_inside([whole], "entry", unread, Came(BODY, by)), "changes", unread, Came(ENTRY, by)):
        value = change.get("value")
        if not isinstance(value, dict):
            unread.append(Unread("value", orjson.dumps(change), Came(CHANGE, by)))
            continue
        account = _account(value.get("metadata"), rest)
        if account is None or account not in signers:
            unread.append(Unread("metadata.phone_number_id", orjson.dumps(change), Came(CHANGE, by)))
            continue
        found = _said(value.get("statuses"), value.get("messages")).by(account)
        reports += found.reports
        answers += found.answers
        unread += found.unread
    return Batch(reports, answers, unread)


def read_again(content: bytes, came: Came, rest: str) -> Batch:
    """Return what a piece of a body holds that was kept, read by this version, as said by whoever signed it then."""
    by = came.account or ""
    if came.form == BODY:
        return read(content, by.split(), rest)
    piece = orjson.loads(content)
    if came.form in {ENTRY, CHANGE}:
        entry = piece if came.form == ENTRY else {"changes": [piece]}
        return read(orjson.dumps({"entry": [entry]}), by.split(), rest)
    if came.form not in {STATUSES, MESSAGES} or not by:
        raise ValueError("no piece of a body")
    return _said(*([piece], None) if came.form == STATUSES else (None, [piece])).by(by)


def _said(statuses: object, messages: object) -> Batch:
    unread: list[Unread] = []
    reports = list(_items(statuses, STATUSES, _receipt, unread))
    return Batch(reports, list(_items(messages, MESSAGES, _incoming, unread)), unread)


def _joined(signers: Collection[str]) -> str:
    return " ".join(sorted(signers))


def _account(metadata: object, rest: str) -> str | None:
    """Return the number's id, the installation's if none is named, or None if what is named is none."""
    named = metadata.get("phone_number_id", rest) if isinstance(metadata, dict) else rest
    return named if isinstance(named, str) else None


def _inside(
    outer: "Iterator[Any] | list[Any]", name: str, unread: list[Unread], came: Came
) -> Iterator[dict[str, Any]]:
    """Give the objects in the list of this name of each outer object, which came so."""
    for one in outer:
        inner = one.get(name) if isinstance(one, dict) else None
        if not isinstance(inner, list):
            unread.append(Unread(name, orjson.dumps(one), came))
            continue
        for each in inner:
            if isinstance(each, dict):
                yield each
            else:
                unread.append(Unread(name, orjson.dumps(each)))


def _items[T](given: object, name: str, reader: Callable[[Any], T | None], unread: list[Unread]) -> Iterator[Item[T]]:
    if given is None:
        return
    if not isinstance(given, list):
        unread.append(Unread(name, orjson.dumps(given)))
        return
    for one in given:
        content, came = orjson.dumps(one), Came(name)
        try:
            said = reader(one)
        except _Odd as odd:
            unread.append(Unread(f"{name}.{odd}", content, came))
        except (AttributeError, TypeError, LookupError, ValueError):
            unread.append(Unread(name, content, came))
        else:
            if said is not None:
                yield Item(said, content, came)


def _receipt(status: Any) -> Receipt | None:
    reference, word = _id(status), status["status"]
    if word in SILENT_STATUSES:
        return None
    said = REPORTED.get(word)
    if said is None:
        raise _Odd("status")
    attempt = _uuid(status.get("biz_opaque_callback_data"))
    return Receipt(
        carrier=Carrier.META,
        key=f"{reference}/{word}/{attempt or ''}",
        status=said,
        attempt_id=attempt,
        reference=reference,
        code=_code(status.get("errors")),
        occurred_at=_instant(status.get("timestamp")),
        user_ids=user_ids(status.get("recipient_user_id"), status.get("recipient_parent_user_id")),
    )


def _incoming(message: Any) -> Incoming | None:
    """Return a patient's text or button; other kinds (pictures, reactions) are not for a machine: text is empty."""
    if message.get("type") in SILENT:
        return None
    message_id, sender = _id(message), message.get("from")
    users = user_ids(message.get("from_user_id"), message.get("from_parent_user_id"), sender)
    is_number = isinstance(sender, str) and sender.isascii() and sender.isdigit() and len(sender) <= 20
    if not is_number and not users:
        raise _Odd("from")
    text = (message.get("text") or {}).get("body") or (message.get("button") or {}).get("text") or ""
    if not isinstance(text, str):
        raise _Odd("text")
    sent_at = _instant(message.get("timestamp"))
    number = f"+{sender}" if is_number else None
    context = message.get("context")
    answered = context.get("id") if isinstance(context, dict) else None
    return Incoming(
        Channel.WHATSAPP,
        f"meta/{message_id}",
        number,
        text,
        sent_at=sent_at,
        user_ids=users,
        in_reply_to=answered[:200] if isinstance(answered, str) and answered else None,
    )


def _id(item: Any) -> str:
    found = item.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= 200 or not found.isprintable():
        raise _Odd("id")
    return found


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _code(errors: Any) -> str | None:
    first = errors[0] if isinstance(errors, list) and errors else None
    code = first.get("code") if isinstance(first, dict) else None
    return f"META_{code}" if isinstance(code, int) and 0 <= code < 10_000_000 else None


def _instant(timestamp: object) -> datetime | None:
    """Return Unix seconds as an instant."""
    text = str(timestamp)
    seconds = int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else LATEST_S
    return datetime.fromtimestamp(seconds, UTC) if seconds < LATEST_S else None
