"""What a lane may use, and how far ahead it claims."""

from dataclasses import dataclass
from datetime import timedelta

OLDEST_GATE_S = 5.0
"""A call that would start later after its gate is gated again (design §6)."""

LONGEST_IN_LINE_S = 2.0
"""Well below the 5 s of the gate: calls take now longer and now shorter."""

LEAST_MARGIN_S = 0.25
"""From the claim's beginning to the call's on a machine that is busy."""

AHEAD, WORTH_A_CLAIM, ENOUGH = 4, 64, 2
"""A lane claims up to 4 messages for each slot until they are 64 (four cost as many trips as 64), or 2 for each: while
one half is called the other is claimed."""

LEAST_STILL_S = 60.0
"""Longer than a claim takes on a machine that is busy, and than a database is away for a failover."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a lane may use.

    Attributes:
        slots: Calls at once.
        timeout_s: Longest call; shorter than the lease by more than the oldest gate.
        per_second: Calls a second of all its instances together; 0: no limit.
    """

    slots: int
    timeout_s: float
    per_second: float = 0.0
    breaker_failures: int = 10
    breaker_open_s: float = 15.0

    @property
    def still_s(self) -> float:
        """For how long messages may be due without a call, machine time: after that the lane stands still.

        Longer than two rests of the breaker with the call that asks, and than ten tokens take.
        """
        asks_s = 2 * (self.breaker_open_s + self.timeout_s + OLDEST_GATE_S)
        return max(LEAST_STILL_S, asks_s) + (10 / self.per_second if self.per_second else 0.0)

    def margin(self, call_s: float) -> timedelta:
        """Return how long a message may wait from its claim until its call begins, about."""
        in_line_s = call_s * (self.places(call_s) / self.slots - 1)
        return timedelta(seconds=LEAST_MARGIN_S + min(in_line_s, LONGEST_IN_LINE_S))

    def places(self, call_s: float) -> int:
        """Return how many messages are claimed at most: more than there are slots, so that these are never idle.

        Args:
            call_s: How long a call takes, about. None is claimed that would wait for its slot past its gate.
        """
        ahead = min(AHEAD, int(LONGEST_IN_LINE_S / max(call_s, 0.001)))
        return max(self.slots, min(ahead * self.slots, max(WORTH_A_CLAIM, ENOUGH * self.slots)))
