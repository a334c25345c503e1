"""One transaction for each command from outside; 2xx is answered only after its commit (G1)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

import asyncpg
import structlog

from booking.adapters.counts import Counts
from booking.adapters.store import PostgresStore
from booking.domain.batch import Answer
from booking.domain.commands import BookAppointment
from booking.domain.registrations import Outcome, Registered, Registration
from booking.door.domain import Client
from booking.door.group_commit import Gatherer
from booking.handle import IDS_PER_LINE, Rules, accept
from booking.handle_people import register_people
from booking.values.refusals import Refused
from chassis.after_commit import said_after_commit
from chassis.clock import Clock
from chassis.database import Connection, unavailable
from chassis.errors import Unavailable

log: structlog.stdlib.BoundLogger = structlog.get_logger()

RACES = frozenset({"KEY_RACE", "IDENTITY_RACE"})
"""Two transactions met over one key; the second time the other's outcome is seen."""
TRIES = 3


class Transactions:
    """Runs stories on PostgreSQL.

    Args:
        pool: Connections to the schema `booking`.
        clock: Domain time.
        rules: The installation's choices.
        committed: Called after each commit, to wake the relays.
        counts: Where answers are counted.
        booked: Called instead after a commit that wrote appointments only; `committed` if there is none.
    """

    def __init__(
        self,
        pool: asyncpg.Pool,
        clock: Clock,
        rules: Rules,
        committed: Callable[[], None],
        counts: Counts,
        booked: Callable[[], None] | None = None,
    ) -> None:
        self.pool = pool
        self.clock = clock
        self.rules = rules
        self.counts = counts
        self._committed = committed
        self._booked = booked or committed
        self._events = Gatherer(self._accept)
        # one at a time: they would wait for each other at the counter of main files, and gather meanwhile
        self._people = Gatherer(self._register, at_once=1, gather_s=0)

    async def run[T](
        self, story: Callable[[Connection], Awaitable[T]], committed: Callable[[], None] | None = None
    ) -> T:
        """Run the story in a transaction and return its result after the commit, which is told to `committed`.

        Raises:
            Unavailable: The database is not there; it may or may not have been done, and may be sent again.
        """
        for remaining in reversed(range(TRIES)):
            try:
                with unavailable(), said_after_commit():
                    async with self.pool.acquire() as connection, connection.transaction():
                        result = await story(connection)
                (committed or self._committed)()
                return result
            except Unavailable as error:
                if error.code not in RACES or not remaining:
                    raise
        raise AssertionError("the last try returns or raises")

    async def accept(self, orders: Sequence[BookAppointment], client: Client) -> list[Answer]:
        """Take a request's orders in one transaction, together with those of other requests that wait."""
        return await self._events.accept(orders, client)

    async def _accept(self, orders: Sequence[BookAppointment], clients: Mapping[str, Client]) -> list[Answer]:
        people = False

        async def story(connection: Connection) -> list[Answer]:
            nonlocal people
            store = PostgresStore(connection)
            answers = await accept(store, orders, clients, self.clock.now(), self.rules)
            people = store.people
            return answers

        answers = await self.run(story, lambda: (self._committed if people else self._booked)())
        self.counts.answered(answers)
        return answers

    async def register(self, registrations: Sequence[Registration], client: Client) -> list[Outcome]:
        """Register a request's patients in one transaction, together with those of other requests that wait."""
        return await self._people.accept(registrations, client)

    async def _register(self, registrations: Sequence[Registration], _clients: Mapping[str, Client]) -> list[Outcome]:
        now = self.clock.now()
        outcomes = await self.run(
            lambda connection: register_people(PostgresStore(connection), registrations, now, self.rules)
        )
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                self.counts.refused(outcome)
        _tell([outcome for outcome in outcomes if isinstance(outcome, Registered)])
        return outcomes


def _tell(registered: Sequence[Registered]) -> None:
    """Log creation and changes, with ids only (R31, R41)."""
    for event, created in (("patients.registered", True), ("patients.changed", False)):
        found = {one.patient.patient_id for one in registered if one.changed and (one.before == 0) is created}
        if found:
            ids = [str(key) for key in sorted(found)[:IDS_PER_LINE]]
            log.info(event, count=len(found), patient_ids=ids)
