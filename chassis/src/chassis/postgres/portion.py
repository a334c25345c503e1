"""How many records or rows go into one transaction: what is more than PostgreSQL takes at once goes in less."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.process.errors import Unavailable

BATCH_RECORDS = 4_000
"""Records of one fetch, and so of one transaction, at most: about 0.15 s of work, far inside its timeout of 10 s."""
LONGEST_REST = 256
"""Full transactions that do not grow, at most, after the size above was cut again and again."""
FORGOTTEN = 16
"""After so many times as many without a failure it grows at once again."""
QUICK_S = 2.0
"""What took less may be twice as much next time, and is still far inside the roles' transaction_timeout of 10 s."""


class Portion:
    """The size of the next transaction: halved by a failure, doubled by a full one that was quick.

    A failure may have any cause. Where it was not the size, two dozen small transactions are all that it costs; where
    it was, that cannot always be seen: one that is cut between two statements looks like a connection that was lost.
    Nor can what else a transaction waits for: what is quick by itself may be cut at twice the size. Each failure after
    a success therefore lets twice as many go through before the next growth, and it settles.

    Args:
        begin: What it begins with; the most, unless less is known to go through.

    Attributes:
        records: So many at most, at least 1.
    """

    def __init__(self, most: int = BATCH_RECORDS, begin: int | None = None) -> None:
        self.records = most if begin is None else begin
        self._most = most
        self._rest = 0
        self._left = 0
        self._since = 0

    def failed(self, records: int) -> None:
        """Learn that a transaction of so many records did not go through."""
        if self._since and records <= self.records:  # else it is one more of an outage, or of more than this allows
            self._rest = min(max(1, 2 * self._rest), LONGEST_REST)
        self._left, self._since = self._rest, 0
        self.records = max(1, min(self.records, records) // 2)

    def succeeded(self, records: int, took_s: float) -> None:
        """Learn that one of so many went through, in so many seconds; one that was not full tells nothing of more."""
        if records < self.records:
            return
        self._since += 1
        if self._since > FORGOTTEN * self._rest:
            self._rest = 0
        if took_s < QUICK_S and self._left == 0:
            self.records = min(2 * self.records, self._most)
        self._left = max(0, self._left - 1)


@contextmanager
def shrinking(portion: Portion) -> Iterator[None]:
    """Let the portion learn if the work within, which is a part of a transaction of its size, does not go through."""
    try:
        yield
    except Unavailable:
        portion.failed(portion.records)
        raise


@contextmanager
def learning(portion: Portion, monotonic: Callable[[], float], records: int) -> Iterator[None]:
    """Let the portion learn what becomes of the work within, a transaction of so many records.

    An error that is none of absence or of a bound tells nothing of their number.
    """
    began = monotonic()
    try:
        yield
    except Unavailable:
        portion.failed(records)
        raise
    portion.succeeded(records, monotonic() - began)
