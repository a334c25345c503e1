"""Sending modes: a new installation must not message anybody by accident.

A clinic's own mode comes before the installation's, and what somebody has switched before the setting. All of
it is read in the claiming transaction, so a switch counts for every call that has not begun.
"""

from dataclasses import dataclass, replace

from notifier.gate.domain.decision import Decision, Send, Skip
from notifier.gate.domain.facts import ClinicSending, SendingModeName
from notifier.values.addresses import normal
from schemas.notifications import Channel
from schemas.reminders import Reason


@dataclass(frozen=True, slots=True)
class SendingMode:
    """The mode with its list: mobiles in E.164 and email addresses in normal form."""

    mode: SendingModeName
    allowed: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """Say whether nothing may leave at all."""
        return self.mode is SendingModeName.HOLD

    def at(self, clinic: ClinicSending) -> "SendingMode":
        """Return the mode that counts for a message of this clinic."""
        if clinic.mode is None and not clinic.allowed:
            return self
        return replace(self, mode=clinic.mode or self.mode, allowed=self.allowed | clinic.allowed)

    def apply(self, decision: Decision) -> Decision:
        """Return the decision as the mode lets it stand. Under `hold` it stands: it is not asked to leave."""
        if self.mode is not SendingModeName.ALLOW_LIST or not isinstance(decision, Send) or _is_in_app(decision):
            return decision
        return decision if normal(decision.route.address) in self.allowed else Skip(Reason.HELD, decision.closed)


def _is_in_app(decision: Send) -> bool:
    return decision.route.channel is Channel.IN_APP
