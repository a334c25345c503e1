"""`staff.work_list.handle.Desk` in PostgreSQL."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from chassis.postgres.database import Pool
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.rows import insert
from notifier.ledger.store import PostgresLedgerTransaction
from notifier.staff.work_list import statements as sql
from notifier.staff.work_list.domain import BY_A_PERSON, Act
from notifier.staff.work_list.handle import Done
from notifier.values.addresses import Peppers


class PostgresDesk:
    """See `staff.work_list.handle.Desk`."""

    def __init__(self, pool: Pool, peppers: Peppers) -> None:
        self._pool, self._peppers = pool, peppers

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresDeskTransaction"]:
        async with self._pool.transaction(isolation="read_committed") as connection:
            yield PostgresDeskTransaction(connection, self._peppers)


class PostgresDeskTransaction(PostgresLedgerTransaction):
    """See `staff.work_list.handle.DeskTransaction`."""

    async def acts(self, notification_id: UUID) -> Sequence[tuple[Done, UUID | None]]:
        rows = await self._connection.fetch(sql.ACTS, notification_id)
        return [
            (
                Done(
                    notification_id,
                    Act(row["action"]),
                    row["acted_by"],
                    row["acted_at"],
                    row["arrived"],
                    row["resent_as"],
                    NotificationState.QUEUED,
                ),
                row["attempt_id"],
            )
            for row in rows
        ]

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        await insert(self._connection, notifications, now)

    async def close_by_a_person(self, attempt_id: UUID, now: datetime, *, arrived: bool) -> None:
        outcome = "accepted" if arrived else "rejected"
        await self._connection.execute(sql.CLOSE_BY_A_PERSON, attempt_id, outcome, BY_A_PERSON, now)

    async def note(self, done: Done, attempt_id: UUID | None) -> None:
        await self._connection.execute(
            sql.NOTE,
            done.notification_id,
            attempt_id,
            done.act.value,
            done.arrived,
            done.resent_as,
            done.acted_by,
            done.acted_at,
        )
