"""A breaker: a carrier that is down is left alone, and asked by one call at a time whether it is back.

```
            N failures in a row                    some seconds later
   closed ───────────────────────▶ open ────────────────────────────────▶ half-open: one call
      ▲                              ▲                                          │
      │                              └────────────────── it failed ─────────────┤
      └───────────────────────────── it got an answer ──────────────────────────┘
```

A call asks when it begins, not when it is claimed, and the one that asks whether the carrier is back is lent that
right for as long as a call may last. So no claim, and no call that never began or was never answered, can keep a lane
shut: from every state a call may begin again within `open_s` + `probe_s`.

A failure says nothing of the message: no connection, silence, a broken reply, 5xx. What is our account's fault, such
as a password that is not taken, opens it at once: the next call would meet the same, and many would lock the account.
A refusal of one message, and a carrier that asks for patience (429), are answers (`carriers/faults.py`). Time here is
machine time, monotonic.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from notifier.ledger.domain.faults import Fault
from notifier.ledger.domain.notification import CarrierResult, NotAccepted, Unsure


class BreakerState(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one lane in one process; each of its methods that changes it returns the next.

    Attributes:
        probe_s: How long that call has, at most; after that another one may.
        opened_at: When it opened last; None while closed.
        probe_until: Until when the one call may be under way; None if none is.
    """

    most_failures: int
    open_s: float
    probe_s: float
    failures: int = 0
    opened_at: float | None = None
    is_ours: bool = False
    probe_until: float | None = None

    def standing(self, at: float) -> BreakerState:
        """Return where it stands at this machine time."""
        if self.opened_at is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if at - self.opened_at < self.open_s else BreakerState.HALF_OPEN

    def allows(self, free: int, at: float) -> int:
        """Return how many of so many calls may begin now."""
        match self.standing(at):
            case BreakerState.CLOSED:
                return free
            case BreakerState.HALF_OPEN:
                is_asked = self.probe_until is not None and at < self.probe_until
                return 0 if is_asked else min(free, 1)
            case BreakerState.OPEN:
                return 0

    def rests_s(self, at: float) -> float:
        """Return for how many seconds more no call may begin; 0 if one may, or is under way."""
        if self.opened_at is None:
            return 0.0
        return max(0.0, self.opened_at + self.open_s - at)

    def begin(self, at: float) -> "Breaker | None":
        """Return it after a call began, or None if none may begin now."""
        if not self.allows(1, at):
            return None
        return self if self.opened_at is None else replace(self, probe_until=at + self.probe_s)

    def after(self, answer: CarrierResult, at: float) -> "Breaker":
        """Return it after a call that had begun was answered.

        An answer to a call from before it opened counts as well: it tells of now.
        """
        if not is_failure(answer):
            return Breaker(self.most_failures, self.open_s, self.probe_s)
        failures = self.failures + 1
        if self.opened_at is None and failures < self.most_failures and not _is_shut_to_us(answer):
            return replace(self, failures=failures)
        if self.opened_at is not None and self.probe_until is None:
            return replace(self, failures=failures)  # a call from before it opened: no reason to wait anew
        is_ours = _is_shut_to_us(answer)
        return replace(self, failures=failures, opened_at=at, is_ours=is_ours, probe_until=None)


def is_failure(answer: CarrierResult) -> bool:
    """Say whether an answer blames the carrier or our account there, not the message."""
    if isinstance(answer, Unsure):
        return True
    return isinstance(answer, NotAccepted) and answer.fault in {Fault.CARRIER, Fault.ACCOUNT}


def _is_shut_to_us(answer: CarrierResult) -> bool:
    return isinstance(answer, NotAccepted) and answer.fault is Fault.ACCOUNT
