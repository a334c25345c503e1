"""Where the orders of a clinic's desk are taken: what is chosen is kept, and a page of it carried out (0049)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking.appointments.domain.batch import EventAnswer
from booking.appointments.domain.command import BookAppointment
from booking.appointments.domain.statuses import ENDS_BEFORE_BEGINNING
from booking.appointments.handle import decided
from booking.appointments.intake import CommandIntake
from booking.appointments.store import Looking
from booking.appointments.wanted import Filter, wanted_of
from booking.desk.answers import answer_of
from booking.desk.bodies import DeskAnswer, WhichBody
from booking.desk.domain import Order, Wish
from booking.desk.handle import Done, commands_of, done, order_for
from booking.desk.store import PostgresOrders, chosen_by, starts_of, visits_of
from booking.door.domain import Client
from booking.door.transactions import Transactions
from booking.values.refusals import Refused
from booking.values.times import calendar_day
from chassis.postgres.database import Pool
from schemas.appointments import Status

MOST_VISITS = 10_000
"""Visits of one order."""

_NOT_CANCELLED = tuple(status for status in Status if status not in ENDS_BEFORE_BEGINNING)


@dataclass(frozen=True)
class DeskIntake:
    """Where orders are kept and carried out.

    Attributes:
        reads: Connections for what only reads.
    """

    transactions: Transactions
    intake: CommandIntake
    reads: Pool

    async def take(self, wish: Wish, body: WhichBody, after: int, limit: int) -> DeskAnswer:
        """Carry out a page of an order, which is kept first if it is new, and answer it."""
        now, connection = self.transactions.clock.now(), self.transactions.run
        chosen = Order(await self._choose(wish.client, body, now), now)
        if body.dry_run:
            order = chosen
        else:
            order = await connection(lambda one: order_for(PostgresOrders(one), wish, chosen), lambda: None)
        page = order.page(after, limit)
        async with self.reads.acquire() as reading:
            visits = await visits_of(reading, wish.client, page)
        commands = commands_of(wish, order, page, visits)
        if body.dry_run:
            answers = await self.tried(commands, wish.client, now)
        else:
            answers = await self.intake.answer_all(commands, wish.client)
        rest = after + len(page)
        next_after = rest if rest < len(order.starts) else None
        results: list[Done] = done(page, visits, commands, answers)
        return answer_of(wish, order, results, next_after, dry_run=body.dry_run)

    async def _choose(self, client: Client, body: WhichBody, now: datetime) -> Mapping[UUID, datetime | None]:
        if body.ids is not None:
            if any(one is not None for one in (body.clinic, body.day, body.provider, body.source, body.status)):
                raise Refused("WHICH_VISITS", "give ids, or a clinic and a day", "ids")
            return await starts_of(self.reads, body.ids)
        if body.clinic is None or body.day is None:
            raise Refused("WHICH_VISITS", "give ids, or a clinic and a day", "day" if body.clinic else "clinic")
        calendar_day(body.day, "day")  # an order means the same day whenever it is repeated
        given = Filter(body.clinic, body.day, provider=body.provider, status=body.status or _NOT_CANCELLED)
        wanted = await wanted_of(self.reads, client, given, now, source=body.source)
        found = await chosen_by(self.reads, client, wanted, MOST_VISITS + 1)
        if len(found) > MOST_VISITS:
            raise Refused("BATCH_TOO_LARGE", f"more than {MOST_VISITS} visits: name a provider", "provider")
        return found

    async def tried(
        self, commands: Sequence[BookAppointment | Refused], client: Client, now: datetime
    ) -> list[EventAnswer]:
        """Return what the commands would be answered now; the transaction may only read."""
        readable = [command for command in commands if isinstance(command, BookAppointment)]
        async with self.reads.transaction(readonly=True) as connection:
            _, found = await decided(Looking(connection), readable, {client.client_id: client}, now)
        answers = iter(found)
        return [EventAnswer("", refusal=one) if isinstance(one, Refused) else next(answers) for one in commands]
