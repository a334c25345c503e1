"""From a call to a mail that any client reads and no name can break.

A mail is written as bytes straight away: the standard library's general builder took five times as long, and a lane
writes one after the other. Only headers with names in them go through it, each once: there are as many as clinics.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

import idna

from notifier.ledger.domain.notification import Call
from notifier.opt_outs.domain.one_click import Unsubscribing
from notifier.values.kinds import KINDS
from notifier.wording.calendar import calendar_entry
from notifier.wording.domain.safe_text import plain
from notifier.wording.renderer import Templates
from notifier.wording.words import Words, worded_as, words_of
from schemas.notifications import Kind

LONGEST_SUBJECT = 150
LONGEST_LINE = 998
"""Without its end: RFC 5322 2.1.1."""

ENTRY, ENDED = "invite.ics", "cancelled.ics"

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+")
"""An address that stands in a header as it is: atoms of RFC 5322 and dots."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/^_`{|}~ -]*")
"""A display name that needs no quotes."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes.

    Attributes:
        unsubscribing: Makes one-click links; None: mails carry none.
        visit_lasts: How long a visit is taken to last, in its calendar entry, that has no end.
    """

    address: str
    reply_to: str | None = None
    unsubscribing: Unsubscribing | None = None
    visit_lasts: timedelta = timedelta(minutes=30)

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as it goes over the wire, lines ended by CRLF, all of it ASCII.

    Attributes:
        envelope_id: The attempt's id, by which a bounce finds back (RFC 3461 4.4).
        message_id: With its angle brackets.
    """

    envelope_id: str
    message_id: str
    sender: str
    recipient: str
    content: bytes


def message_id(call: Call, sender: Sender) -> str:
    """Return the Message-ID: our attempt's id, so that a mail found anywhere leads back to the ledger."""
    return f"<{call.attempt_id}@{sender.domain}>"


def compose(call: Call, templates: Templates, sender: Sender) -> Mail:
    """Return the mail: plain text and HTML, with a calendar entry where the kind has one (R22, D34).

    Header injection is impossible twice over: names reach no header unless cleaned, and a header with a
    line break or another control character is refused.
    """
    clinic_id, kind = call.visit.clinic_id, worded_as(call)
    words = words_of(call, templates.languages(clinic_id, kind))
    subject = plain(templates.render(clinic_id, kind, "subject.txt", words), LONGEST_SUBJECT)
    own_id, recipient = message_id(call, sender), _address(call.route.address)
    headers = [
        f"Message-ID: {own_id}\r\n",
        f"Date: {format_datetime(call.at)}\r\n",
        _from(words.clinic, sender.address),
        f"To: {recipient}\r\n",
        _subject(subject),
        *([f"Reply-To: {_address(sender.reply_to)}\r\n"] if sender.reply_to else []),
        *_unsubscribe(call, sender),
        "Auto-Submitted: auto-generated\r\n",
        f"Content-Language: {words.language}\r\n",
        "MIME-Version: 1.0\r\n",
    ]
    parts = [
        _text("plain", templates.render(clinic_id, kind, "text.txt", words)),
        _text("html", templates.render(clinic_id, kind, "html", words)),
    ]
    if method := KINDS[call.kind].calendar:
        entry = _encoded(entry_of(call, templates, words, sender))
        body = _with_entry(call.attempt_id.hex, parts, method, entry, *_others(call, templates, sender))
    else:
        body = _several("alternative", call.attempt_id.hex, parts)
    content = "".join([*headers, body]).encode("ascii")
    return Mail(str(call.attempt_id), own_id, sender.address, recipient, content)


def _unsubscribe(call: Call, sender: Sender) -> tuple[str, ...]:
    """Return the headers by which a mail program offers to stop such mails (RFC 2369, RFC 8058)."""
    link = sender.unsubscribing.link(call.route.address, call.kind) if sender.unsubscribing else None
    if link is None:
        return ()
    return f"List-Unsubscribe: <{link}>\r\n", "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def entry_of(call: Call, templates: Templates, words: Words, sender: Sender) -> bytes:
    """Return the calendar entry of a message whose kind has one."""
    summary = plain(templates.summary(call.visit.clinic_id, words), LONGEST_SUBJECT)
    return calendar_entry(call, words, summary, sender.address, sender.visit_lasts)


def _others(call: Call, templates: Templates, sender: Sender) -> Iterator[str]:
    """Give the entries of the other visits of which the mail tells, and of those in whose place one of them is.

    An object has one method and one UID (RFC 5546, 1.4 and 3.2), so each is a part of its own, and to be read: attached
    as `text/calendar`.
    """
    for place, one in enumerate(call.every, 1):
        if place > 1:
            yield _attached(one, ENTRY, place, templates, sender)
        if one.replaced is not None:
            ended = replace(one, kind=Kind.CANCELLED, visit=one.replaced, also=())
            yield _attached(ended, ENDED, place, templates, sender)


def _attached(call: Call, name: str, place: int, templates: Templates, sender: Sender) -> str:
    """Return the entry of one visit as a part; `place`: of its visit in the mail, from 1."""
    words = words_of(call, templates.languages(call.visit.clinic_id, call.kind.value))
    file = name if place == 1 else name.replace(".", f"-{place}.")
    return (
        f'Content-Type: text/calendar; charset="utf-8"; method={KINDS[call.kind].calendar};\r\n name="{file}"\r\n'
        f'Content-Disposition: attachment; filename="{file}"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{_encoded(entry_of(call, templates, words, sender))}"
    )


def _encoded(entry: bytes) -> str:
    return base64.encodebytes(entry).decode("ascii").replace("\n", "\r\n")


def _several(subtype: str, mark: str, parts: Sequence[str]) -> str:
    """Return the parts as one; no part holds the boundary, for its `=_` (RFC 2045 6.7) and the attempt's id."""
    boundary = f"=_{subtype[0]}{mark}"
    inside = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts)
    return f'Content-Type: multipart/{subtype};\r\n boundary="{boundary}"\r\n\r\n{inside}--{boundary}--\r\n'


def _text(subtype: str, content: str) -> str:
    lines = f"{content}\n".replace("\n", "\r\n")
    encoding = "7bit"
    if not lines.isascii() or max(map(len, lines.split("\r\n"))) > LONGEST_LINE:
        encoding = "quoted-printable"
        lines = binascii.b2a_qp(lines.encode(), istext=True).decode("ascii")
    return f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{lines}'


def _with_entry(mark: str, parts: Sequence[str], method: str, encoded: str, *others: str) -> str:
    """Return the parts with an entry, as Google writes its own invitations, and behind it those of other visits.

    As the last alternative Outlook and Google read it (MS-OXCMAIL, RFC 6047); attached, for all the others, it is no
    `text/calendar`, which some would then read twice.
    """
    base64_follows = f"Content-Transfer-Encoding: base64\r\n\r\n{encoded}"
    read = f'Content-Type: text/calendar; charset="utf-8"; method={method}\r\n{base64_follows}'
    attached = (
        f'Content-Type: application/ics; name="{ENTRY}"\r\n'
        f'Content-Disposition: attachment; filename="{ENTRY}"\r\n{base64_follows}'
    )
    return _several("mixed", mark, [_several("alternative", mark, [*parts, read]), attached, *others])


@lru_cache(maxsize=4096)
def _from(clinic: str, address: str) -> str:
    """Return the header. The standard library loses a display name's quotes where it folds it: `a, b` became two."""
    if any(character < " " or character == "\x7f" for character in clinic):
        raise ValueError("a control character in a header")
    shown = clinic
    if not clinic.isascii():
        shown = Header(clinic, "utf-8", header_name="From").encode(linesep="\r\n")
    elif not _ATOMS.fullmatch(clinic):
        shown = '"' + clinic.replace("\\", r"\\").replace('"', r"\"") + '"'
    return f"From: {shown} <{_address(address)}>\r\n" if clinic else f"From: {_address(address)}\r\n"


@lru_cache(maxsize=4096)
def _subject(subject: str) -> str:
    return _folded("Subject", subject)


def _address(address: str) -> str:
    """Return the address as headers and servers take it, a domain in other letters by its ASCII name (IDNA 2008).

    By IDNA 2003 `straße` was `strasse`, which is another's domain.
    """
    if not address.isascii():
        mailbox, at, domain = address.rpartition("@")
        address = mailbox + at + idna.encode(domain, uts46=True).decode("ascii")
    if not _ADDRESS.fullmatch(address):
        raise ValueError("an address that cannot stand in a header")
    return address


def _folded(name: str, value: str) -> str:
    """Return a header as the standard library writes it: folded, encoded where it must be, refused if it breaks out."""
    message = EmailMessage(policy=SMTP)
    message[name] = value
    return str(SMTP.fold(name, message[name]))
