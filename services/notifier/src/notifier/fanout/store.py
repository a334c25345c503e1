"""What the stories of fan-out need of PostgreSQL, over the batch's own transaction."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import UUID

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection
from notifier.fanout import statements
from notifier.fanout.domain.gathering import Beside, Moved
from notifier.fanout.domain.mornings import Morning, TodaysVisit
from notifier.fanout.domain.news import Twin
from notifier.fanout.domain.versions import Held, Kept
from notifier.fanout.handle.reminders import Expected, GoneSeen, PlanSeen
from notifier.gate.domain.visit import Person, Visit, email_of, mobile_of
from notifier.inbox.domain import DayList, InboxEntry
from notifier.inbox.notice import notice_of
from notifier.inbox.store import deliver
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.store import rows as ledger_rows
from notifier.ledger.store.transaction import PostgresLedgerTransaction
from notifier.values.addresses import Address, Peppers
from schemas.appointments import Status

LOOKED_AT_ONCE = 500
"""Visits, or people, of one question to the gate."""

_VISIT = (
    "appointment_id", "version", "status", "schedule_gen", "starts_at", "provider_id", "patient_id", "clinic_id",
    "service_type", "ends_at",
)  # fmt: skip


class PostgresFanoutStore(PostgresLedgerTransaction):
    """See `EntryStore`, `FanoutStore`, `PeopleStore` and `RemindersStore` of `fanout.handle`.

    Args:
        connection: In a READ COMMITTED transaction.
        link: Where an appointment is opened, with `{appointment_id}` in it; None: nowhere.
    """

    def __init__(self, connection: Connection, link: str | None, peppers: Peppers) -> None:
        super().__init__(connection, peppers)
        self._link = link

    async def held(self, appointment_ids: Collection[str]) -> Mapping[str, Held]:
        rows = await self._connection.fetch(statements.HELD, list(appointment_ids))
        return {row[0]: Held(row[1], Status(row[2]), *row[3:]) for row in rows}

    async def keep(self, newest: Collection[Kept]) -> None:
        fresh = [kept for kept in newest if kept.new]
        if len(fresh) >= ledger_rows.FROM_ROWS:  # never seen before: for what `ledger.store.rows` says of COPY
            names = (*_VISIT, "turned_at")
            await self._connection.copy_records_to_table(
                "appointment", records=zip(*_columns(fresh), strict=True), columns=names
            )
            newest = [kept for kept in newest if not kept.new]
        if newest:
            await self._connection.execute(statements.KEEP, *_columns(newest))

    async def known(self, notification_ids: Collection[UUID]) -> Collection[UUID]:
        rows = await self._connection.fetch(statements.KNOWN, list(notification_ids))
        return {row[0] for row in rows}

    async def open_news(self, appointment_ids: Collection[UUID]) -> Sequence[Notification]:
        rows = await self._connection.fetch(statements.OPEN_NEWS, list(appointment_ids))
        found = [ledger_rows.notification(row) for row in rows]
        found.sort(key=lambda one: (one.state is NotificationState.QUEUED, one.schedule_gen), reverse=True)
        return found

    async def closed_news(self, notification_ids: Collection[UUID]) -> Sequence[Notification]:
        rows = await self._connection.fetch(statements.CLOSED_NEWS, list(notification_ids))
        return [ledger_rows.notification(row) for row in rows]

    async def concerned(self, people: Collection[str], now: datetime) -> Collection[str]:
        """See `fanout.handle.people.PeopleStore`. First turns: who gives one back meanwhile has written it down."""
        taken = {row[0] for row in await self._connection.fetch(statements.TURNS_TAKEN, statements.TURN_CLASS)}
        waited_for = {row[0] for row in await self._connection.fetch(statements.CONCERNED, list(people), now)}
        return {one for one in people if one in waited_for or _turn(one) in taken}

    async def waiting(self, people: Collection[str], now: datetime) -> Sequence[Notification]:
        rows = await self._connection.fetch(statements.WAITING, list(people), now)
        return [ledger_rows.notification(row) for row in rows]

    async def waiting_visits(self, people: Collection[str], now: datetime) -> Collection[UUID]:
        return [row[0] for row in await self._connection.fetch(statements.WAITING_VISITS, list(people), now)]

    async def stopped_by(self, address: Address, now: datetime) -> Collection[str]:
        rows = await self._connection.fetch(statements.STOPPED, now)
        named, unnamed = {row[0] for row in rows if row[0]}, {row[1] for row in rows if row[1]}
        found: dict[UUID, Visit | Person] = {}
        for some in batched(unnamed, LOOKED_AT_ONCE):
            found |= {visit.patient_id: visit for visit in (await self.gate(some)).values()}
        for some in batched(named, LOOKED_AT_ONCE):
            found |= await self.people(some)
        return {str(who) for who, one in found.items() if self._is_at(address, one)}

    def _is_at(self, address: Address, person: Visit | Person) -> bool:
        own = (at for at in (mobile_of(person), email_of(person)) if at)
        return any(not set(address.keys).isdisjoint(self._peppers.of(at).keys) for at in own)

    async def beside(self, moves: Sequence[Moved]) -> Sequence[Beside]:
        moved = columns(moves, "appointment_id", "patient_id", "clinic_id", "stood_at")
        return [Beside(*row) for row in await self._connection.fetch(statements.BESIDE, *moved)]

    async def twins(self, appointment_ids: Collection[UUID], within_s: float, now: datetime) -> Sequence[Twin]:
        rows = await self._connection.fetch(statements.TWINS, list(appointment_ids), within_s, now)
        return [Twin(row[0], row[1], Status(row[2]), Status(row[3])) for row in rows]

    async def take_turns(self, people: Collection[str]) -> None:
        """See `fanout.handle.appointments.FanoutStore`. They share some locks, taken in their order."""
        turns = sorted({_turn(one) for one in people})
        await self._connection.fetch(statements.TAKE_TURNS, statements.TURN_CLASS, turns)

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        copied, inserted = ledger_rows.parted(notifications)
        if copied:
            await ledger_rows.copy_notifications(self._connection, copied, now)
        if inserted:
            await ledger_rows.insert(self._connection, inserted, now)

    async def deliver_in_app(self, entries: Sequence[InboxEntry | DayList], now: datetime) -> None:
        if not entries:
            return
        notices = [notice_of(entry, self._link) for entry in entries]
        await deliver(self._connection, notices, now)

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """See `fanout.handle.entry.EntryStore`. A provider's list of the day is of no appointment, and no event."""
        told = [one for one in notifications if one.appointment_id and one.state is not NotificationState.QUEUED]
        await super().publish(told, now)

    async def keep_plans(self, plans: Collection[PlanSeen]) -> None:
        ahead = [(plan.appointment_id, one) for plan in plans for one in plan.ahead]
        await self._connection.execute(
            statements.KEEP_PLANS,
            *columns(plans, "appointment_id", "version", "schedule_gen"),
            [appointment for appointment, _ in ahead],
            [one.reminder_id for _, one in ahead],
            [one.due for _, one in ahead],
            [one.not_after for _, one in ahead],
        )

    async def drop_from_plans(self, gone: Collection[GoneSeen]) -> None:
        pairs = [(one.appointment_id, reminder) for one in gone for reminder in one.reminder_ids]
        await self._connection.execute(
            statements.DROP_FROM_PLANS,
            [appointment for appointment, _ in pairs],
            [reminder for _, reminder in pairs],
        )

    async def expected(self, mornings: Sequence[Morning], now: datetime) -> Mapping[int, Sequence[Expected]]:
        rows = await self._connection.fetch(
            statements.EXPECTED,
            *columns(mornings, "clinic_id", "begins", "ends", "noon_before"),
            now,
        )
        found: dict[int, list[Expected]] = {}
        for row in rows:
            visit = TodaysVisit(
                row["appointment_id"], row["schedule_gen"], row["starts_at"], row["told"], row["to_come"]
            )
            found.setdefault(row["place"] - 1, []).append(Expected(Status(row["status"]), visit))
        return found

    async def forget_plans(self, mornings: Sequence[Morning]) -> None:
        await self._connection.execute(
            statements.FORGET_PLANS, [one.clinic_id for one in mornings], [one.begins for one in mornings]
        )


def _turn(person: str) -> int:
    return zlib.crc32(person.encode()) % statements.TURNS


def _columns(kept: Collection[Kept]) -> list[list[Any]]:
    return [*columns([one.visit for one in kept], *_VISIT), [one.turned_at for one in kept]]
