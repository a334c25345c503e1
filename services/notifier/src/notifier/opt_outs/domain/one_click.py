"""One-click links in emails (RFC 8058): what they stop is in the link, signed; no login, and no address in it."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from notifier.values.addresses import Address, Peppers
from notifier.values.kinds import KINDS, Category
from schemas.notifications import Kind

_CATEGORIES = {Category.REMINDERS: b"R", Category.NOTICES: b"N"}
_OLD_CATEGORIES = {Category.REMINDERS: b"r", Category.NOTICES: b"n"}
"""In links of older versions, which hold the plain SHA-256 of the address."""
_KEY_BYTES = 32
_MARK_BYTES = 16
"""Of the HMAC-SHA256: 128 bits, beyond guessing."""
_TOKEN_CHARACTERS = 66
"""Of 49 bytes in base64 without padding."""


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Makes the links of an installation.

    Attributes:
        secret: Signs them; a new one leaves old links without effect, unless the old one is still known.
    """

    base_url: str
    secret: str
    peppers: Peppers

    def link(self, address: str, kind: Kind) -> str | None:
        """Return the link that stops messages of this kind's category to this address; None for providers' kinds."""
        category = KINDS[kind].category
        if category is None:
            return None
        token = token_of(self.peppers.of(address).key, category, self.secret)
        return f"{self.base_url.rstrip('/')}/callbacks/unsubscribe/{token}"


def token_of(address: bytes, category: Category, secret: str) -> str:
    """Return the link's token."""
    said = _CATEGORIES[category] + address
    return base64.urlsafe_b64encode(said + _mark(said, secret)).decode("ascii").rstrip("=")


def read_token(token: str, secrets: Sequence[str], peppers: Peppers) -> tuple[Address, Category] | None:
    """Return address and category of a token that one of the secrets signed; None if none did."""
    if len(token) != _TOKEN_CHARACTERS or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    said, mark = raw[: 1 + _KEY_BYTES], raw[1 + _KEY_BYTES :]
    genuine = False
    for secret in secrets:
        genuine |= bool(secret) and hmac.compare_digest(_mark(said, secret), mark)
    if not genuine:
        return None
    for category, letter in _CATEGORIES.items():
        if letter == said[:1]:
            return Address((said[1:],)), category
    old = next((each for each, letter in _OLD_CATEGORIES.items() if letter == said[:1]), None)
    return (peppers.of_plain(said[1:]), old) if old else None


def _mark(said: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"unsubscribe/1\0" + said, "sha256")[:_MARK_BYTES]
