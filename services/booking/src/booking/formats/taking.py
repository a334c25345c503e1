"""What events ask for, of visits and of patients alone, taken in their order."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import groupby

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.handle import accept
from booking.appointments.intake import CommandIntake
from booking.appointments.store import PostgresStore
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.formats.port import Asked
from booking.merges.intake import MergeIntake
from booking.merges.store import PostgresMergeStore
from booking.merges.told import ToldMerges, merge_told, unregistered
from booking.patients.domain.registrations import Outcome, Registration
from booking.patients.handle import Rules, register_people
from booking.patients.intake import RegistrationIntake
from booking.patients.store import PostgresPatients
from booking.values.refusals import NOT_REGISTERED, Refused
from booking.values.warned import UNKNOWN_PATIENT, Warned
from chassis.postgres.database import Connection


class Taking:
    """Takes what events ask for: what follows each other of one kind in one transaction, but each merge in its own.

    So a patient who is registered, booked and merged in one body is so in that order.
    """

    def __init__(
        self,
        transactions: Transactions,
        rules: Rules,
        intake: CommandIntake,
        people: RegistrationIntake,
        merging: MergeIntake,
    ) -> None:
        self._transactions, self._rules = transactions, rules
        self._intake, self._people, self._merging = intake, people, merging

    async def runs(self, asked: Sequence[Asked], client: Client) -> AsyncIterator[Sequence[EventAnswer]]:
        """Yield the answers, in order, as many at a time as were taken together, after their commit."""
        for kind, together in groupby(asked, _kind):
            run = list(together)
            if kind is Registration:
                told = [one for one in run if isinstance(one, Registration)]
                yield [_of_person(*pair) for pair in zip(told, await self._people.register(told, client), strict=True)]
            elif kind is ToldMerges:
                merges = [one for one in run if isinstance(one, ToldMerges)]
                yield [_answer(why) for why in await self._merging.merge(merges)]
            else:
                yield await self._intake.answer_all(_of_visits(run), client)

    async def answer_all(self, asked: Sequence[Asked], client: Client) -> list[EventAnswer]:
        """Take all and answer them in order. What was taken before one that could not be kept now stays."""
        return [answer async for run in self.runs(asked, client) for answer in run]

    async def plan_all(self, asked: Sequence[Asked], client: Client) -> list[EventAnswer]:
        """Return what each would be answered now, on top of those before it; nothing is kept, and nobody is told."""
        if all(_kind(one) is BookAppointment for one in asked):
            return await self._intake.plan_all(_of_visits(asked), client)

        async def story(connection: Connection) -> list[EventAnswer]:
            runs = [await self._tried(connection, list(run), client) for _, run in groupby(asked, _kind)]
            return [answer for run in runs for answer in run]

        return await self._transactions.tried(story)

    async def _tried(self, connection: Connection, run: Sequence[Asked], client: Client) -> list[EventAnswer]:
        """Take a run of one kind in a transaction that is undone."""
        now = self._transactions.clock.now()
        if told := [one for one in run if isinstance(one, Registration)]:
            outcomes = await register_people(PostgresPatients(connection), told, now, self._rules)
            return [_of_person(*pair) for pair in zip(told, outcomes, strict=True)]
        if merges := [one for one in run if isinstance(one, ToldMerges)]:
            return [await self._tried_merge(connection, one, now) for one in merges]
        commands = [one for one in run if isinstance(one, BookAppointment)]
        taken = iter(await accept(PostgresStore(connection), commands, {client.client_id: client}, now, self._rules))
        return [EventAnswer("", refusal=one) if isinstance(one, Refused) else next(taken) for one in run]

    async def _tried_merge(self, connection: Connection, told: ToldMerges, now: datetime) -> EventAnswer:
        """See `MergeIntake`."""
        refusal = await _merged(connection, told, now)
        if refusal is not None and refusal.code == NOT_REGISTERED:
            people = await unregistered(PostgresMergeStore(connection), told)
            outcomes = await register_people(PostgresPatients(connection), people, now, self._rules)
            refused = next((one for one in outcomes if isinstance(one, Refused)), None)
            refusal = refused or await _merged(connection, told, now)
        return _answer(refusal)


async def _merged(connection: Connection, told: ToldMerges, now: datetime) -> Refused | None:
    try:
        async with connection.transaction():
            await merge_told(PostgresMergeStore(connection), told, now)
    except Refused as refusal:
        return refusal
    return None


def _kind(one: Asked) -> type:
    """Return by what an event is taken; one that is refused is answered among those of visits."""
    return type(one) if isinstance(one, Registration | ToldMerges) else BookAppointment


def _of_visits(run: Sequence[Asked]) -> list[BookAppointment | Refused]:
    return [one for one in run if isinstance(one, BookAppointment | Refused)]


def _of_person(told: Registration, outcome: Outcome) -> EventAnswer:
    """Return the answer to what was told of a patient: who is nobody's patient needs no deletion."""
    if isinstance(outcome, Refused) and outcome.code != UNKNOWN_PATIENT:
        return _answer(outcome)
    return _answer(None, told.warnings)


def _answer(refusal: Refused | None, warnings: Sequence[Warned] = ()) -> EventAnswer:
    return EventAnswer("", refusal=refusal, told=None if refusal else tuple(warnings))
