"""Whose trouble it is that messages cannot be decided: each its own, or ours.

One message whose decision raises is odd: it alone is taken aside. Many within minutes are a fault of ours, or of what
all of them need, and to fail each would lose everything that is due: they wait in the queue instead, a minute at a
time, until they can be decided or their deadline has passed.
"""

from dataclasses import dataclass
from datetime import timedelta

MOST = 20
"""As many unreadable records of our own topics open a consumer's breaker (design §3)."""

WITHIN_S = 300.0
PUT_OFF = timedelta(minutes=1)
"""Shorter than `WITHIN_S`: what waits is found undecided again before it is forgotten."""


@dataclass(frozen=True, slots=True)
class Undecided:
    """When messages of one lane could not be decided, machine time, monotonic; the newest `MOST`, oldest first."""

    seen: tuple[float, ...] = ()

    def after(self, count: int, at: float) -> "Undecided":
        """Return it after so many more, or fewer, were found at once."""
        return Undecided((*self.seen, *[at] * min(count, MOST))[-MOST:])

    def is_ours(self, at: float) -> bool:
        """Say whether they are too many to be each message's own trouble."""
        return len(self.seen) == MOST and at - self.seen[0] < WITHIN_S
