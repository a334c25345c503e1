"""The reminder records in PostgreSQL: set-based statements, rows sorted by key."""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from chassis.database import Connection, unavailable
from chassis.dead_letter import DeadLetter
from chassis.dead_letter import store as store_dead
from reminders.adapters import sql
from reminders.domain.book import Book, Reminder
from schemas.reminders import Reason, ReminderDeadLetter, ReminderStatus

WORKER = "reminders-worker"
"""The consumer whose dead letters come by the topic `reminders`."""

CLOSED_AT_ONCE = 1000


class PostgresBooks:
    """`handle.projecting.Books` over a connection that is inside the batch's transaction.

    READ COMMITTED: what another batch committed while this one waited for the lock must be seen.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._opened: dict[UUID, tuple[int, int]] = {}

    async def open(self, appointment_ids: Iterable[UUID]) -> Mapping[UUID, Book]:
        """See `Books`: insert, then lock, in the order of the ids, so that no two batches wait for each other."""
        ids = sorted(appointment_ids)
        if not ids:
            return {}
        await self._connection.execute(sql.ADD_SCHEDULES, ids)
        books = {}
        for appointment_id, version, schedule_gen in await self._connection.fetch(sql.LOCK_SCHEDULES, ids):
            self._opened[appointment_id] = (version, schedule_gen)
            books[appointment_id] = Book(appointment_id, version, schedule_gen)
        for row in await self._connection.fetch(sql.READ_REMINDERS, ids):
            books[row["appointment_id"]].reminders[row["reminder_id"]] = reminder_of(row)
        return books

    async def save(self, books: Iterable[Book]) -> None:
        """See `Books`."""
        books = list(books)
        moved = [book for book in books if (book.version, book.schedule_gen) != self._opened[book.appointment_id]]
        if moved:
            await self._connection.execute(
                sql.SAVE_SCHEDULES,
                [book.appointment_id for book in moved],
                [book.version for book in moved],
                [book.schedule_gen for book in moved],
            )
        changed = sorted(
            (book.reminders[reminder_id] for book in books for reminder_id in book.changed),
            key=lambda reminder: reminder.reminder_id,
        )
        if changed:
            columns = [[getattr(reminder, name) for reminder in changed] for name in sql.COLUMNS]
            await self._connection.execute(sql.SAVE_REMINDERS, *columns)

    async def keep_dead(self, letters: Sequence[ReminderDeadLetter]) -> None:
        """See `Books`: beside the projector's own, under the worker's name."""
        await store_dead(self._connection, WORKER, [_letter(letter) for letter in letters])


def reminder_of(row: asyncpg.Record) -> Reminder:
    """Return the record in a row of `sql.COLUMNS`."""
    fields: dict[str, Any] = dict(row)
    fields["status"] = ReminderStatus(fields["status"])
    fields["reason"] = None if fields["reason"] is None else Reason(fields["reason"])
    return Reminder(**fields)


async def close_overdue(pool: asyncpg.Pool, now: datetime) -> int:
    """Give a final outcome to reminders that have none 72 h after the visit (G7); return how many got one.

    What was handed over is FAILED with OUTCOME_UNKNOWN; what never was is CANCELLED with TOO_LATE.
    """
    with unavailable():
        async with pool.acquire() as connection, connection.transaction():
            ids = [row[0] for row in await connection.fetch(sql.CLOSING, now, CLOSED_AT_ONCE)]
            if not ids:
                return 0
            return int((await connection.execute(sql.CLOSE, now, ids)).rpartition(" ")[2])


def _letter(letter: ReminderDeadLetter) -> DeadLetter:
    return DeadLetter(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=None if letter.key is None else b64decode(letter.key),
        value=None if letter.value is None else b64decode(letter.value),
        headers=tuple((name, b64decode(value)) for name, value in letter.headers.items()),
        code=letter.code,
        message=letter.message,
    )
