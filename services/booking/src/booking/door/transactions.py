"""One transaction for each command from outside; 2xx is answered only after its commit (G1)."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from booking.values.refusals import Refused
from chassis.postgres.after_commit import said_after_commit
from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics


class RefusalCounts:
    """A counter in the process's registry. Labels are our own words, never anything that was sent."""

    def __init__(self, metrics: Metrics) -> None:
        self._refusals = metrics.counter("booking_refusals", "Commands that were refused, by code.", ["code"])

    def refused(self, refusal: Refused) -> None:
        """Count a command that was refused."""
        self._refusals.labels(refusal.code).inc()


RACES = frozenset({"KEY_RACE", "IDENTITY_RACE"})
"""Two transactions met over one key; the second time the other's outcome is seen."""
TRIES = 3


class _NothingKept(Exception):  # no error: it ends a transaction of which nothing is to stay
    """Undoes what was tried."""


class Transactions:
    """Runs stories on PostgreSQL."""

    def __init__(self, pool: Pool, clock: Clock, committed: Callable[[], None], counts: RefusalCounts) -> None:
        self.pool = pool
        self.clock = clock
        self.counts = counts
        self.committed = committed

    async def run[T](
        self, story: Callable[[Connection], Awaitable[T]], committed: Callable[[], None] | None = None
    ) -> T:
        """Run the story in a transaction and return its result after the commit, which is told to `committed`.

        Raises:
            Unavailable: The database is not there; it may or may not have been done, and may be sent again.
        """
        for remaining in reversed(range(TRIES)):
            try:
                with said_after_commit():
                    async with self.pool.transaction() as connection:
                        result = await story(connection)
                (committed or self.committed)()
                return result
            except Unavailable as error:
                if error.code not in RACES or not remaining:
                    raise
        raise AssertionError("the last try returns or raises")

    async def tried[T](self, story: Callable[[Connection], Awaitable[T]]) -> T:
        """Run the story in a transaction that is undone, and return its result: nothing is kept, and nobody is told.

        Raises:
            Unavailable: The database is not there.
        """
        results: list[T] = []

        async def undone(connection: Connection) -> None:
            results[:] = [await story(connection)]
            raise _NothingKept

        with suppress(_NothingKept):
            await self.run(undone)
        return results[0]
