"""Sending modes of an installation: a new one must not message anybody by accident."""

from dataclasses import dataclass
from enum import StrEnum

from notifier.domain.gate import Decision, Send, Skip
from schemas.notifications import Channel
from schemas.reminders import Reason


class Mode(StrEnum):
    """What may leave.

    `hold`: nothing is claimed; messages wait, and those whose deadline passes are skipped as HELD.
    `allow-list`: only to the listed addresses, all else is skipped as HELD. `live`: everything.
    In-app notices have no carrier and are not held.
    """

    HOLD = "hold"
    ALLOW_LIST = "allow-list"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class SendingMode:
    """The mode with its list: mobiles in E.164 and email addresses in lower case."""

    mode: Mode
    allowed: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Say whether nothing may leave at all."""
        return self.mode is Mode.HOLD

    def apply(self, decision: Decision) -> Decision:
        """Return the decision as the mode lets it stand."""
        if self.mode is not Mode.ALLOW_LIST or isinstance(decision, Skip) or _is_in_app(decision):
            return decision
        return decision if decision.route.address.lower() in self.allowed else Skip(Reason.HELD)


def _is_in_app(decision: Send) -> bool:
    return decision.route.channel is Channel.IN_APP
