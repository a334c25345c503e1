"""One-click links in emails (RFC 8058): what they stop is in the link, signed; no login, and no address in it."""

import base64
import binascii
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from notifier.domain.opt_outs import Category, address_key, category_of
from schemas.notifications import Kind

_CATEGORIES = {Category.REMINDERS: b"r", Category.NOTICES: b"n"}
_KEY_BYTES = 32
_MARK_BYTES = 16
"""Of the HMAC-SHA256: 128 bits, beyond guessing."""
_TOKEN_CHARACTERS = 66
"""Of 49 bytes in base64 without padding."""


@dataclass(frozen=True, slots=True)
class Unsubscribing:
    """Makes the links of an installation.

    Attributes:
        base_url: The public address of the callbacks.
        secret: Signs them; a new one leaves old links without effect, unless the old one is still known.
    """

    base_url: str
    secret: str

    def link(self, address: str, kind: Kind) -> str | None:
        """Return the link that stops messages of this kind's category to this address; None for providers' kinds."""
        category = category_of(kind)
        if category is None:
            return None
        return (
            f"{self.base_url.rstrip('/')}/callbacks/unsubscribe/{token_of(address_key(address), category, self.secret)}"
        )


def token_of(address: bytes, category: Category, secret: str) -> str:
    """Return the link's token.

    Args:
        address: From `opt_outs.address_key`.
        category: What it stops.
        secret: Not empty.
    """
    said = _CATEGORIES[category] + address
    return base64.urlsafe_b64encode(said + _mark(said, secret)).decode("ascii").rstrip("=")


def read_token(token: str, secrets: Sequence[str]) -> tuple[bytes, Category] | None:
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
    category = next((each for each, letter in _CATEGORIES.items() if letter == said[:1]), None)
    return (said[1:], category) if genuine and category else None


def _mark(said: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"unsubscribe/1\0" + said, "sha256")[:_MARK_BYTES]
