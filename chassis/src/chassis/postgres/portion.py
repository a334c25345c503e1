"""How many records or rows go into one transaction: what is more than PostgreSQL takes at once goes in less."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from chassis.process.errors import Unavailable

BATCH_RECORDS = 4_000
"""Records of one fetch, and so of one transaction, at most: about 0.15 s of work, far inside its timeout of 10 s."""
QUICK_S = 2.0
"""What took less may be twice as much next time, and is still far inside the roles' transaction_timeout of 10 s."""


class Portion:
    """The size of the next transaction: halved by a failure, doubled by a full one that was quick.

    A failure may have any cause. Where it was not the size, a dozen small transactions are all that it costs; where it
    was, that cannot always be seen: one that is cut between two statements looks like a connection that was lost.

    Args:
        most: It is never more.
        begin: What it begins with; the most, unless less is known to go through.

    Attributes:
        records: So many at most, at least 1.
    """

    def __init__(self, most: int = BATCH_RECORDS, begin: int | None = None) -> None:
        self.records = most if begin is None else begin
        self._most = most

    def failed(self, records: int) -> None:
        """Learn that a transaction of so many records did not go through."""
        self.records = max(1, min(self.records, records) // 2)

    def succeeded(self, records: int, took_s: float) -> None:
        """Learn that one of so many went through, in so many seconds; one that was not full tells nothing of more."""
        if records >= self.records and took_s < QUICK_S:
            self.records = min(2 * self.records, self._most)


@contextmanager
def learning(portions: Sequence[Portion], monotonic: Callable[[], float], records: int) -> Iterator[None]:
    """Let the portions learn what becomes of the work within, a transaction of so many records.

    An error that is none of absence or of a bound tells nothing of their number.
    """
    began = monotonic()
    try:
        yield
    except Unavailable:
        for portion in portions:
            portion.failed(records)
        raise
    for portion in portions:
        portion.succeeded(records, monotonic() - began)
