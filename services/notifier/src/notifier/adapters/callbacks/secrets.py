"""Who may report: every callback proves that its sender knows a secret of ours.

Twilio: base64 of the HMAC-SHA1, keyed with the account's auth token, over the public URL as Twilio called it followed
by each form field's name and value, sorted by name (twilio.com/docs/usage/security, "Validating requests"). Values of
a repeated field are sorted, each once, as Twilio's own libraries do.
Meta: `sha256=` and the hex HMAC-SHA256 over the body's bytes, keyed with the app's secret
(developers.facebook.com/docs/graph-api/webhooks/getting-started, "Validating payloads").
"""

import base64
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.notifications import Channel

META_PREFIX = "sha256="


@dataclass(frozen=True, slots=True)
class CallbackSecrets:
    """Every secret by which a callback may prove itself. An empty one proves nothing.

    Attributes:
        twilio: AccountSid → its auth tokens: each speaks of that account's messages alone.
        meta: Phone number id → the secrets of its app, likewise.
        rest: By channel, the account of what names none: the installation's.
        meta_verify: Tokens of Meta's GET challenge.
        bounces: Secrets of mail servers that post bounces.
        unsubscribe: Keys of our own one-click links; the first one signs.
    """

    twilio: Mapping[str, Sequence[str]] = field(default_factory=dict)
    meta: Mapping[str, Sequence[str]] = field(default_factory=dict)
    meta_verify: Sequence[str] = ()
    bounces: Sequence[str] = ()
    unsubscribe: Sequence[str] = ()
    rest: Mapping[Channel, str] = field(default_factory=dict)

    def of_twilio(self, account: str | None) -> tuple[str, Sequence[str]]:
        """Return the account that a form names, else the installation's, with its tokens; of a stranger's none."""
        named = account or self.rest.get(Channel.SMS, "")
        return named, self.twilio.get(named, ())

    def signers_of(self, body: bytes, given: str) -> frozenset[str]:
        """Return the phone number ids for which a body of Meta's speaks: those whose app's secret signed it."""
        return frozenset(account for account, secrets in self.meta.items() if meta_is_genuine(secrets, body, given))


def twilio_signature(token: str, url: str, form: Iterable[tuple[str, str]]) -> str:
    """Return the signature that Twilio gives a form posted to this URL."""
    fields = sorted(set(form))
    signed = url + "".join(name + value for name, value in fields)
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()


def twilio_is_genuine(tokens: Sequence[str], url: str, form: Sequence[tuple[str, str]], given: str) -> bool:
    """Say whether one of the tokens signed this form."""
    return _one_of((twilio_signature(token, url, form) for token in tokens if token), given)


def meta_signature(secret: str, body: bytes) -> str:
    """Return the header that Meta gives a body."""
    return META_PREFIX + hmac.digest(secret.encode(), body, "sha256").hex()


def meta_is_genuine(secrets: Sequence[str], body: bytes, given: str) -> bool:
    """Say whether one of the secrets signed this body."""
    return _one_of((meta_signature(secret, body) for secret in secrets if secret), given)


def is_one_of(secrets: Sequence[str], given: str) -> bool:
    """Say whether what was given is one of the secrets."""
    return _one_of((secret for secret in secrets if secret), given)


def _one_of(expected: Iterable[str], given: str) -> bool:
    """Compare with each of them, each in constant time."""
    found = False
    for one in expected:
        found |= hmac.compare_digest(one.encode(), given.encode(errors="replace"))
    return found
