"""What an address is, and what it is kept under: never itself, but a key made with a secret of this installation.

A plain hash of a phone number is no secret: all numbers of a country are hashed in seconds. The key is the HMAC-SHA-256
of the address's SHA-256, so that what older versions kept plainly can be turned into keys without the addresses.
"""

import hmac
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

import idna

from notifier.values.lines import other_form

SHORTEST = 32
"""Characters of a secret: 128 bits in hexadecimal."""

_MOBILE = re.compile(r"\+[1-9]\d{6,14}")
_EMAIL = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]{1,64}@[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]{1,250}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it is kept and found.

    Attributes:
        keys: One for each secret, the newest one's first: that is written, and all are looked for. A line with
            another form has its keys behind them.
        plain: Its SHA-256, under which older versions kept it; None if nobody can tell it.
    """

    keys: tuple[bytes, ...]
    plain: bytes | None = None

    @property
    def key(self) -> bytes:
        """What is written."""
        return self.keys[0]


@dataclass(frozen=True, slots=True)
class Peppers:
    """Makes the keys of an installation.

    Attributes:
        secrets: Newest first. An old one is kept as long as anything was written under it.
    """

    secrets: tuple[bytes, ...]

    def of(self, address: str) -> Address:
        """Return how an address is kept: a mobile number in E.164, or an email address in any spelling."""
        spelt = normal(address)
        found, other = self.of_plain(sha256(spelt.encode()).digest()), other_form(spelt)
        if other is None:
            return found
        return Address((*found.keys, *self.of_plain(sha256(other.encode()).digest()).keys), found.plain)

    def of_plain(self, plain: bytes) -> Address:
        """Return how the address of this SHA-256 is kept."""
        return Address(tuple(self._keys(b"address/1\0" + plain)), plain)

    def of_user(self, user_id: str) -> tuple[bytes, ...]:
        """Return the keys of a business-scoped id of WhatsApp, the newest secret's first."""
        return tuple(self._keys(b"whatsapp-user/1\0" + user_id.encode()))

    def marks(self) -> tuple[bytes, ...]:
        """Return eight bytes that tell each secret from others and betray nothing of it."""
        return tuple(key[:8] for key in self._keys(b"mark/1\0"))

    def codes(self, appointment_id: UUID, schedule_gen: int) -> tuple[str, ...]:
        """Return the four digits by which a patient names this visit at this time; the first is the one to tell him.

        Another time has others, and nobody who knows the visit's id can tell them.
        """
        said = b"reply-code/1\0" + appointment_id.bytes + schedule_gen.to_bytes(4)
        return tuple(f"{int.from_bytes(key[:8]) % 10_000:04d}" for key in self._keys(said))

    def _keys(self, said: bytes) -> Sequence[bytes]:
        return [hmac.digest(secret, said, "sha256") for secret in self.secrets]


def normal(address: str) -> str:
    """Return the one spelling of an address by which two are compared: lower case, a domain in its own letters.

    xn--bcher-kva.example and bücher.example are one domain (IDNA 2008); booking stores the latter.
    """
    mailbox, at, domain = address.strip().lower().rpartition("@")
    if not domain.isascii() or "xn--" in domain:
        with suppress(idna.IDNAError):  # no domain: it is compared as written
            domain = idna.decode(idna.encode(domain, uts46=True))
    return mailbox + at + domain


def is_address(text: str) -> bool:
    """Say whether a text is a mobile number in E.164 or an email address that a carrier could take."""
    return is_mobile(text) or is_email(text)


def is_mobile(text: str) -> bool:
    """Say whether a text is a number in E.164 that a carrier could take."""
    return bool(_MOBILE.fullmatch(text))


def is_email(text: str) -> bool:
    """Say whether a text is an email address that could stand in a mail's header."""
    return bool(_EMAIL.fullmatch(text))
