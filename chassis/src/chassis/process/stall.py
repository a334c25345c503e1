"""Whether something that ought to get on by itself has stopped: first its client is made anew, then it is reported."""

import time
from collections.abc import Callable, Hashable, Mapping

REBUILD_S = 60.0
"""Longer than a rebalance (15 s), a transaction (10 s) and the slowest answer (15 s) together."""


class Stuck:
    """Knows since when each thing has been as far as it is.

    Attributes:
        reason: Why it is not alive any more: it has not moved although its client was made anew. None if it is.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, after_s: float = REBUILD_S) -> None:
        self._monotonic = monotonic
        self._after_s = after_s
        self._since: dict[Hashable, tuple[Hashable, float]] = {}
        self._rebuilt = False
        self.reason: str | None = None

    def look(self, waiting: Mapping[Hashable, Hashable]) -> bool:
        """Compare with the last look; say whether a new client is due.

        Args:
            waiting: What ought to get on: what it is, and how far it is. Empty when all is done.
        """
        now, before = self._monotonic(), self._since
        self._since = {
            what: held if (held := before.get(what)) is not None and held[0] == far else (far, now)
            for what, far in waiting.items()
        }
        if not waiting:
            self._rebuilt, self.reason = False, None
        standing = [what for what, (_, since) in self._since.items() if now - since >= self._after_s]
        if not standing:
            return False
        if self._rebuilt:
            self.reason = f"stands still in spite of a new client: {', '.join(map(str, standing[:3]))}"
        self._rebuilt = True
        self._since = {}
        return True

    def excuse(self) -> None:
        """Begin to count anew: what it needs is away, which no new client and no restart would mend."""
        self._since = {}
        self._rebuilt, self.reason = False, None
