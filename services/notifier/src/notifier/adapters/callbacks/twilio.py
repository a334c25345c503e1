"""Twilio's callbacks, read: status reports of our messages, and patients' answers."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl
from uuid import UUID

from notifier.domain.receipts import Carrier, Receipt, Reported
from notifier.domain.replies import Meaning
from notifier.handle.replies import Incoming
from schemas.notifications import Channel

STATUSES: dict[str, Reported] = {
    "accepted": Reported.ACCEPTED,
    "scheduled": Reported.ACCEPTED,
    "queued": Reported.ACCEPTED,
    "sending": Reported.ACCEPTED,
    "sent": Reported.ACCEPTED,
    "delivered": Reported.DELIVERED,
    "read": Reported.READ,
    "undelivered": Reported.UNDELIVERED,
    "failed": Reported.UNDELIVERED,
    "canceled": Reported.UNDELIVERED,
}
"""MessageStatus → what it says (twilio.com/docs/messaging/api/message-resource, "Message status values")."""

MOST_FIELDS = 200
_OPT_OUT_TYPES = {"STOP": Meaning.STOP, "START": Meaning.START}


class Unreadable(ValueError):
    """A callback that is not of its kind. The message names the field, never its value."""


def form_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form in their order.

    Raises:
        Unreadable: It is no form, or not UTF-8.
    """
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Unreadable("form") from None


def receipt_of(fields: Sequence[tuple[str, str]], attempt_id: UUID) -> Receipt:
    """Return the report in a status callback to the address of one attempt.

    Raises:
        Unreadable: No MessageSid, or no status that we know.
    """
    form = dict(fields)
    sid, status = form.get("MessageSid") or form.get("SmsSid"), form.get("MessageStatus") or form.get("SmsStatus")
    if not sid or len(sid) > 64:
        raise Unreadable("MessageSid")
    if status not in STATUSES:
        raise Unreadable("MessageStatus")
    return Receipt(
        carrier=Carrier.TWILIO,
        key=f"{sid}/{status}/{attempt_id}",
        status=STATUSES[status],
        attempt_id=attempt_id,
        reference=sid,
        code=_code(form),
    )


def incoming_of(fields: Sequence[tuple[str, str]]) -> Incoming:
    """Return the message that a patient sent.

    Raises:
        Unreadable: No MessageSid, From or Body.
    """
    form = dict(fields)
    sid, sender = form.get("MessageSid") or form.get("SmsSid"), form.get("From", "")
    if not sid or len(sid) > 64:
        raise Unreadable("MessageSid")
    channel = Channel.WHATSAPP if sender.startswith("whatsapp:") else Channel.SMS
    sender = sender.removeprefix("whatsapp:")
    if not sender.startswith("+") or not sender[1:].isdecimal() or len(sender) > 20:
        raise Unreadable("From")
    if "Body" not in form:
        raise Unreadable("Body")
    hint = _OPT_OUT_TYPES.get(form.get("OptOutType", "").upper())
    return Incoming(channel, f"twilio/{sid}", sender, form["Body"], hint)


def _code(form: Mapping[str, str]) -> str | None:
    code = form.get("ErrorCode", "")
    return f"TWILIO_{code}" if code.isascii() and code.isdigit() and len(code) <= 6 else None
