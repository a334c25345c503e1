"""A lane's breaker: a carrier that is down is left alone, and asked by one call at a time whether it is back.

```
            N failures in a row                    some seconds later
   closed ───────────────────────▶ open ────────────────────────────────▶ half-open: one call
      ▲                              ▲                                          │
      │                              └────────────────── it failed ─────────────┤
      └───────────────────────────── it got an answer ──────────────────────────┘
```

A failure says nothing of the message: no connection, silence, a broken reply, 5xx, wrong credentials. A refusal of
one message, and a carrier that asks for patience (429), are answers. Time here is machine time, monotonic.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from notifier.domain.ledger import Answer, NotAccepted, NotStarted, Unsure

CREDENTIALS = frozenset({"HTTP_401", "HTTP_403", "SMTP_421", "SMTP_454", "SMTP_530", "SMTP_535"})
"""Codes by which a carrier shuts its door to us, whatever the message."""


class Standing(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one lane in one process; each of its methods returns the next.

    Attributes:
        most_failures: So many in a row open it.
        open_s: How long it stays open before one call may try.
        failures: In a row, so far.
        opened_at: When it opened last; None while closed.
        probing: The one call is under way.
    """

    most_failures: int
    open_s: float
    failures: int = 0
    opened_at: float | None = None
    probing: bool = False

    def standing(self, at: float) -> Standing:
        """Return where it stands at this machine time."""
        if self.opened_at is None:
            return Standing.CLOSED
        rested = at - self.opened_at >= self.open_s
        return Standing.HALF_OPEN if self.probing or rested else Standing.OPEN

    def allows(self, free: int, at: float) -> int:
        """Return how many of so many calls may begin now."""
        match self.standing(at):
            case Standing.CLOSED:
                return free
            case Standing.HALF_OPEN:
                return min(free, 0 if self.probing else 1)
            case Standing.OPEN:
                return 0

    def rests_s(self, at: float) -> float:
        """Return for how many seconds more no call may begin; 0 if one may, or is under way."""
        if self.opened_at is None or self.probing:
            return 0.0
        return max(0.0, self.opened_at + self.open_s - at)

    def calling(self, calls: int) -> "Breaker":
        """Return it after so many calls began."""
        return replace(self, probing=True) if self.opened_at is not None and calls else self

    def after(self, answer: Answer, at: float) -> "Breaker":
        """Return it after an answer. One to a call from before it opened counts as well: it tells of now."""
        if isinstance(answer, NotStarted):
            return replace(self, probing=False)
        if not is_failure(answer):
            return Breaker(self.most_failures, self.open_s)
        failures = self.failures + 1
        if self.opened_at is None and failures < self.most_failures:
            return replace(self, failures=failures)
        if self.opened_at is not None and not self.probing:
            return replace(self, failures=failures)  # a call from before it opened: no reason to wait anew
        return Breaker(self.most_failures, self.open_s, failures, opened_at=at)


def is_failure(answer: Answer) -> bool:
    """Say whether an answer blames the carrier, not the message."""
    if isinstance(answer, Unsure):
        return True
    if not isinstance(answer, NotAccepted):
        return False
    code = "_".join(answer.code.split("_")[:2])  # a carrier's own number may follow ours
    return code in CREDENTIALS or code.startswith("HTTP_5") or not code.startswith(("HTTP_", "SMTP_"))
