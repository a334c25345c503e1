"""Twilio's callbacks, read: status reports of our messages, and patients' answers. Each form is one item."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl
from uuid import UUID

from notifier.callbacks.handle.intake import Batch, Came, Item, Unread, user_ids
from notifier.receipts.domain import Carrier, Receipt, Reported
from notifier.replies.domain.reading import Meaning
from notifier.replies.handle import Incoming
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
INBOUND, STATUS = "inbound", "status/"
"""The forms of what is kept: a patient's message, and a status with the attempt of its address behind it."""
_OPT_OUT_TYPES = {"STOP": Meaning.STOP, "START": Meaning.START, "HELP": Meaning.HELP}


class Unreadable(ValueError):
    """A callback that is not of its kind. The message names the field, never its value."""


def form_of(body: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form in their order."""
    try:
        return parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise Unreadable("form") from None


def read_status(fields: Sequence[tuple[str, str]], attempt: str, body: bytes) -> Batch:
    """Return the report in a status callback to the address of one attempt."""
    try:
        return Batch(reports=[Item(receipt_of(fields, attempt), body)])
    except Unreadable as error:
        return Batch(unread=[Unread(str(error), body)])


def read_inbound(fields: Sequence[tuple[str, str]], body: bytes) -> Batch:
    """Return the message that a patient sent."""
    try:
        return Batch(answers=[Item(incoming_of(fields), body)])
    except Unreadable as error:
        return Batch(unread=[Unread(str(error), body)])


def read_again(content: bytes, came: Came) -> Batch:
    """Return what a form holds that was kept, read by this version, as said by the account that signed it then."""
    fields = form_of(content)
    if came.account is None or not (came.form == INBOUND or came.form.startswith(STATUS)):
        raise ValueError("no form with its account")
    if came.form == INBOUND:
        return read_inbound(fields, content).by(came.account, INBOUND)
    return read_status(fields, came.form.removeprefix(STATUS), content).by(came.account, came.form)


def receipt_of(fields: Sequence[tuple[str, str]], attempt: str) -> Receipt:
    """Return the report in a form."""
    form = dict(fields)
    sid, status = _sid(form), form.get("MessageStatus") or form.get("SmsStatus")
    if status not in STATUSES:
        raise Unreadable("MessageStatus")
    try:
        attempt_id = UUID(attempt)
    except ValueError:
        raise Unreadable("attempt") from None
    return Receipt(
        carrier=Carrier.TWILIO,
        key=f"{sid}/{status}/{attempt_id}",
        status=STATUSES[status],
        attempt_id=attempt_id,
        reference=sid,
        code=_code(form),
    )


def incoming_of(fields: Sequence[tuple[str, str]]) -> Incoming:
    """Return the message in a form."""
    form = dict(fields)
    sid, sender = _sid(form), form.get("From", "")
    channel = Channel.WHATSAPP if sender.startswith("whatsapp:") else Channel.SMS
    sender = sender.removeprefix("whatsapp:")
    users = user_ids(form.get("ExternalUserId"), sender) if channel is Channel.WHATSAPP else ()
    digits = sender.removeprefix("+")
    is_number = digits != sender and digits.isascii() and digits.isdigit() and len(sender) <= 20
    if not is_number and not users:
        raise Unreadable("From")
    if "Body" not in form:
        raise Unreadable("Body")
    hint = _OPT_OUT_TYPES.get(form.get("OptOutType", "").upper())
    return Incoming(
        channel,
        f"twilio/{sid}",
        sender if is_number else None,
        form["Body"],
        hint,
        user_ids=users,
        in_reply_to=form.get("OriginalRepliedMessageSid", "")[:64] or None,
        can_be_answered=hint is None,
    )


def _sid(form: Mapping[str, str]) -> str:
    sid = form.get("MessageSid") or form.get("SmsSid")
    if not sid or len(sid) > 64 or not sid.isprintable():
        raise Unreadable("MessageSid")
    return sid


def _code(form: Mapping[str, str]) -> str | None:
    code = form.get("ErrorCode", "")
    return f"TWILIO_{code}" if code.isascii() and code.isdigit() and len(code) <= 6 else None
