"""The ledger's transaction in PostgreSQL, of all who lock messages, ask the gate and write them back."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chassis.outbox.writer import enqueue
from chassis.postgres.database import Connection
from notifier.gate.domain.facts import GateFacts
from notifier.gate.domain.told import Said, Slot
from notifier.gate.domain.visit import Person, Visit
from notifier.gate.store import read_facts, read_gate, read_people, read_said
from notifier.ledger import statements as sql
from notifier.ledger.domain.notification import Notification, Row
from notifier.ledger.messages import notification_changed
from notifier.ledger.store.rows import read, write
from notifier.values.addresses import Peppers

NO_LEASE = timedelta()
"""Of receipts and of the desk, which never put a message into `sending`."""


class PostgresLedgerTransaction:
    """`ledger.port.LedgerTransaction`: messages locked, asked about at the gate, written and published.

    Args:
        connection: In a READ COMMITTED transaction.
    """

    def __init__(self, connection: Connection, peppers: Peppers, lease: timedelta = NO_LEASE) -> None:
        self._connection, self._peppers, self._lease = connection, peppers, lease

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Row]:
        rows = await self._connection.fetch(sql.LOCK, list(notification_ids))
        return {row["notification_id"]: read(row) for row in rows}

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        return await read_gate(self._connection, appointment_ids)

    async def facts(
        self, asked: Sequence[Notification], visits: Mapping[UUID, Visit], now: datetime
    ) -> Mapping[UUID, GateFacts]:
        return await read_facts(self._connection, self._peppers, asked, visits, now)

    async def said(self, appointment_ids: Collection[UUID]) -> Mapping[Slot, Sequence[Said]]:
        return await read_said(self._connection, appointment_ids)

    async def people(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Person]:
        return await read_people(self._connection, patient_ids)

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        await write(self._connection, notifications, now, self._lease)

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        await enqueue(self._connection, [notification_changed(one, now) for one in notifications])
