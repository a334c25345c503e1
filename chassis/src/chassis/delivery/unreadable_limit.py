"""Stop taking events when too many of our own cannot be read: the fault is ours then, not theirs."""

import time
from collections import deque
from collections.abc import Callable

PER_MINUTE = 20
SHARE = 0.05
SHARE_OF_AT_LEAST = 200
WINDOW_S = 60


class Breaker:
    """Opens at 20 bad records in a minute, or 5 % of at least 200 in a minute (design §3); stays open."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seen: deque[tuple[float, int, int]] = deque()
        self._total = 0
        self._wrong = 0
        self._open = False

    def count(self, records: int, bad: int) -> None:
        """Count one batch of our own topics."""
        now = self._monotonic()
        self._seen.append((now, records, bad))
        self._total += records
        self._wrong += bad
        while self._seen[0][0] < now - WINDOW_S:
            _, old_records, old_bad = self._seen.popleft()
            self._total -= old_records
            self._wrong -= old_bad
        share = self._total >= SHARE_OF_AT_LEAST and self._wrong >= SHARE * self._total
        self._open = self._open or self._wrong >= PER_MINUTE or share

    @property
    def is_open(self) -> bool:
        """Whether no more events are to be taken."""
        return self._open

    def reason(self, service: str) -> str | None:
        """Why no events of this service are taken, or None."""
        if not self._open:
            return None
        look = f"attend dead-letters list {service}"
        return f"breaker open: too many records of our own could not be read; see `{look}`, then restart"
