"""Commands about appointments, taken in: those of one request, with others that wait, in one transaction."""

from collections.abc import Callable, Mapping, Sequence

from booking.appointments.counts import AnswerCounts
from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept, decided
from booking.appointments.store import PostgresStore
from booking.door.domain import Client
from booking.door.group_commit import MOST_WAITING, Gatherer
from booking.door.transactions import Transactions
from booking.inbound.domain import RefusedEvent
from booking.inbound.store import keep_refused
from booking.patients.handle import Rules
from booking.values.refusals import IDENTITY_CONFLICT, ILLEGAL_TRANSITION, Refused
from chassis.postgres.database import Connection


class CommandIntake:
    """Takes commands and answers them after their commit.

    Args:
        booked: Called after a commit that wrote appointments only, instead of what the transactions call.
        most_waiting: Commands that wait at most.
    """

    def __init__(
        self,
        transactions: Transactions,
        rules: Rules,
        counts: AnswerCounts,
        booked: Callable[[], None] | None = None,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._transactions = transactions
        self._rules = rules
        self._counts = counts
        self._booked = booked or transactions.committed
        self._together = Gatherer(self._accept, most_waiting=most_waiting)

    async def answer_all(self, commands: Sequence[BookAppointment | Refused], client: Client) -> list[EventAnswer]:
        """Take the commands that could be read, in one transaction, and answer all in order.

        Those of other requests that wait are in the same transaction.
        """
        readable = [command for command in commands if isinstance(command, BookAppointment)]
        answers = iter(await self._together.accept(readable, client))
        unreadable = {n: EventAnswer("", refusal=one) for n, one in enumerate(commands) if isinstance(one, Refused)}
        self._counts.answered(unreadable.values())
        return [unreadable[n] if n in unreadable else next(answers) for n in range(len(commands))]

    async def plan_all(self, commands: Sequence[BookAppointment | Refused], client: Client) -> list[EventAnswer]:
        """Return what the commands would be answered now; nothing is kept, and nobody is told."""
        readable = [command for command in commands if isinstance(command, BookAppointment)]

        async def story(connection: Connection) -> list[EventAnswer]:
            by_client, all_register = {client.client_id: client}, self._rules.register_on_booking
            now = self._transactions.clock.now()
            return (await decided(PostgresStore(connection), readable, by_client, now, all_register=all_register))[1]

        left = iter(await self._transactions.tried(story))
        return [EventAnswer("", refusal=one) if isinstance(one, Refused) else next(left) for one in commands]

    async def _accept(self, commands: Sequence[BookAppointment], clients: Mapping[str, Client]) -> list[EventAnswer]:
        people = False

        async def story(connection: Connection) -> list[EventAnswer]:
            nonlocal people
            store, now = PostgresStore(connection), self._transactions.clock.now()
            answers = await accept(store, commands, clients, now, self._rules)
            people = store.people
            await keep_refused(connection, for_staff(commands, answers), now)
            return answers

        committed = self._transactions.committed
        answers = await self._transactions.run(story, lambda: (committed if people else self._booked)())
        self._counts.answered(answers)
        return answers


_SHOWN = frozenset({IDENTITY_CONFLICT, ILLEGAL_TRANSITION})
"""What staff see of what is refused over HTTP: nobody's program can mend it."""


def for_staff(commands: Sequence[BookAppointment], answers: Sequence[EventAnswer]) -> list[RefusedEvent]:
    """Return the refusals that people are to see: the same again does not lift them.

    Whoever asked at our own door has read his answer: it is no event that anybody waits for.
    """
    answered = zip(commands, answers, strict=True)
    refused = ((c, a.refusal) for c, a in answered if a.refusal is not None and not c.is_ours)
    return [RefusedEvent(c.client, c.key, refusal) for c, refusal in refused if refusal.code in _SHOWN]
