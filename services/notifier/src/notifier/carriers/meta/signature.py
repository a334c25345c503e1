"""How Meta signs what it posts.

`sha256=` and the hex HMAC-SHA256 over the body's bytes, keyed with the app's secret
(developers.facebook.com/docs/graph-api/webhooks/getting-started, "Validating payloads").
"""

import hmac
from collections.abc import Mapping, Sequence

from notifier.callbacks.secrets import is_one_of

META_PREFIX = "sha256="


def meta_signature(secret: str, body: bytes) -> str:
    """Return the header that Meta gives a body."""
    return META_PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def meta_is_genuine(secrets: Sequence[str], body: bytes, given: str) -> bool:
    """Say whether one of the secrets signed this body."""
    return is_one_of([meta_signature(secret, body) for secret in secrets if secret], given)


def meta_signers(secrets: Mapping[str, Sequence[str]], body: bytes, given: str) -> frozenset[str]:
    """Return the phone number ids for which a body of Meta's speaks: those whose app's secret signed it."""
    return frozenset(account for account, of_app in secrets.items() if meta_is_genuine(of_app, body, given))
