"""From a call to a mail that any client reads and no name can break."""

from dataclasses import dataclass
from email.headerregistry import Address, BaseHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache, lru_cache
from typing import Any

from notifier.adapters.calendar import invitation
from notifier.adapters.templates import Templates, words_of
from notifier.domain.ledger import Call
from notifier.domain.text import plain
from schemas.notifications import Kind

WITH_CALENDAR = frozenset({Kind.CONFIRMATION})

_ALIKE = frozenset(
    {"mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-language"}
    | {"auto-submitted", "from"}
)
"""Headers that say the same in very many mails."""


class _Headers(HeaderRegistry):
    """Parses a header that many mails share once, and makes one class a header instead of one a mail.

    A parsed header is never changed. Parsing them anew was half of a mail's cost.
    """

    @cache  # noqa: B019  # one registry a process
    def __getitem__(self, name: str) -> type[BaseHeader]:
        return super().__getitem__(name)

    def __call__(self, name: str, value: Any) -> BaseHeader:
        if isinstance(value, str) and name.lower() in _ALIKE:
            return self._parsed(name, value)
        return super().__call__(name, value)

    @lru_cache(maxsize=512)  # noqa: B019  # one registry a process
    def _parsed(self, name: str, value: str) -> BaseHeader:
        return super().__call__(name, value)


POLICY = SMTP.clone(header_factory=_Headers())


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes: an address, and the domain that makes message ids ours."""

    address: str

    @property
    def domain(self) -> str:
        """The part after the @."""
        return self.address.rpartition("@")[2]


def message_id(call: Call, sender: Sender) -> str:
    """Return the Message-ID: our attempt's id, so that a mail found anywhere leads back to the ledger."""
    return f"<{call.attempt_id}@{sender.domain}>"


def compose(call: Call, templates: Templates, sender: Sender) -> EmailMessage:
    """Return the mail: plain text and HTML, with a calendar entry for a confirmation (R22, D34).

    Header injection is impossible twice over: names reach no header unless cleaned, and the mail
    library refuses line breaks in headers.

    Raises:
        ValueError: An address or header that cannot be.
        jinja2.TemplateError: A broken template.
    """
    words = words_of(call)
    clinic_id, kind = call.visit.clinic_id, call.kind.value
    subject = plain(templates.render(clinic_id, kind, "subject.txt", words), 150)
    mail = EmailMessage(policy=POLICY)
    mail["Message-ID"] = message_id(call, sender)
    mail["Date"] = format_datetime(call.at)
    mail["From"] = Address(words.clinic, addr_spec=sender.address)
    mail["To"] = Address(addr_spec=call.route.address)
    mail["Subject"] = subject
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = words.language
    mail.set_content(templates.render(clinic_id, kind, "text.txt", words))
    mail.add_alternative(templates.render(clinic_id, kind, "html", words), subtype="html")
    if call.kind in WITH_CALENDAR:
        entry = invitation(call, words, subject, sender.address)
        mail.add_attachment(
            entry, maintype="text", subtype="calendar", filename="appointment.ics", params={"method": "REQUEST"}
        )
    return mail
