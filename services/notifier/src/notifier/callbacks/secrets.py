"""Who may report: every callback proves that its sender knows a secret of ours."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.notifications import Channel


@dataclass(frozen=True, slots=True)
class CallbackSecrets:
    """Every secret by which a callback may prove itself. An empty one proves nothing.

    Attributes:
        twilio: AccountSid → its auth tokens: each speaks of that account's messages alone.
        meta: Phone number id → the secrets of its app, likewise.
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


def is_one_of(secrets: Sequence[str], given: str) -> bool:
    """Say whether what was given is one of the secrets, each compared in constant time. An empty one is none."""
    found = False
    for one in filter(None, secrets):
        found |= hmac.compare_digest(one.encode(), given.encode(errors="replace"))
    return found
