"""The reminder records in PostgreSQL: set-based statements, rows sorted by key."""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

import asyncpg

from chassis.delivery.dead_letter import DeadLetter
from chassis.delivery.dead_letter import store as store_dead
from chassis.postgres.columns import columns
from chassis.postgres.database import Connection, Pool
from reminders.projector import statements
from reminders.projector.domain.book import Book, Reminder
from reminders.projector.domain.forecast import differences
from schemas.envelope import Received
from schemas.reminders import Reason, ReminderDeadLetter, ReminderStatus

WORKER = "reminders-worker"
"""The consumer whose dead letters come by the topic `reminders`."""

CLOSED_AT_ONCE = 1000
FORGOTTEN_AT_ONCE = 10_000


def _number(reminder: Reminder) -> int:
    """Return what records are sorted by: numbers are compared in C, UUIDs are not."""
    return reminder.reminder_id.int


class PostgresBooks:
    """`projector.handle.Books` over a connection that is inside the batch's transaction.

    READ COMMITTED: what another batch committed while this one waited for the lock must be seen.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._opened: dict[UUID, tuple[int, int]] = {}

    async def open(self, appointment_ids: Iterable[UUID]) -> Mapping[UUID, Book]:
        """See `Books`: insert, then lock, in the order of the ids, so that no two batches wait for each other."""
        ids = sorted(appointment_ids, key=attrgetter("int"))
        if not ids:
            return {}
        await self._connection.execute(statements.ADD_SCHEDULES, ids)
        books = {}
        for appointment_id, version, schedule_gen in await self._connection.fetch(statements.LOCK_SCHEDULES, ids):
            self._opened[appointment_id] = (version, schedule_gen)
            books[appointment_id] = Book(appointment_id, version, schedule_gen)
        for row in await self._connection.fetch(statements.READ_REMINDERS, ids):
            books[row["appointment_id"]].reminders[row["reminder_id"]] = reminder_of(row)
        return books

    async def save(self, books: Iterable[Book]) -> None:
        books = list(books)
        moved = [book for book in books if (book.version, book.schedule_gen) != self._opened[book.appointment_id]]
        if moved:
            await self._connection.execute(
                statements.SAVE_SCHEDULES,
                *columns(moved, "appointment_id", "version", "schedule_gen"),
            )
        changed = [(before, book.reminders[id_]) for book in books for id_, before in book.changed.items()]
        if changed:
            rows = sorted([after for _, after in changed], key=_number)
            await self._connection.execute(statements.SAVE_REMINDERS, *zip(*rows, strict=True))
        await _forecast(self._connection, changed)

    async def keep_dead(self, letters: Sequence[ReminderDeadLetter]) -> None:
        """See `Books`: beside the projector's own, under the worker's name."""
        await store_dead(self._connection, WORKER, [_letter(letter) for letter in letters])


def reminder_of(row: asyncpg.Record) -> Reminder:
    """Return the record in a row of `statements.COLUMNS`."""
    held = Reminder(*row)
    return held._replace(
        status=ReminderStatus(held.status), reason=None if held.reason is None else Reason(held.reason)
    )


async def close_overdue(pool: Pool, now: datetime) -> int:
    """Give a final outcome to reminders that have none 72 h after the visit (G7); return how many got one.

    What was handed over is FAILED with OUTCOME_UNKNOWN; what never was is CANCELLED with TOO_LATE.
    """
    async with pool.transaction() as connection:
        ids = [row[0] for row in await connection.fetch(statements.CLOSING, now, CLOSED_AT_ONCE)]
        if not ids:
            return 0
        closed = [reminder_of(row) for row in await connection.fetch(statements.CLOSE, now, ids)]
        await _forecast(connection, [(held, held._replace(status=ReminderStatus.FAILED)) for held in closed])
        return len(closed)


async def forget_forecast(pool: Pool, before: datetime) -> None:
    """Remove minutes long past that count nothing any more; what a batch is at work on stays for the next time."""
    await pool.execute(statements.FORGET_FORECAST, before, FORGOTTEN_AT_ONCE)


async def _forecast(connection: Connection, changed: Iterable[tuple[Reminder | None, Reminder]]) -> None:
    """Keep the counts by clinic and minute: last in the transaction, so that others wait for its end at most."""
    found = differences(changed)
    if found:
        clinics, minutes = zip(*(slot for slot, _ in found), strict=True)
        await connection.execute(statements.ADD_FORECAST, clinics, minutes, [number for _, number in found])


def _letter(letter: ReminderDeadLetter) -> DeadLetter:
    return DeadLetter(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=None if letter.key is None else b64decode(letter.key),
        value=None if letter.value is None else b64decode(letter.value),
        headers=_headers(letter),
        code=letter.code,
        message=letter.message,
    )


def _headers(letter: ReminderDeadLetter) -> Received:
    if letter.header_bytes is None:
        return tuple((name, b64decode(value)) for name, value in letter.headers.items())
    return tuple(
        (b64decode(name).decode("utf-8", "surrogateescape"), None if value is None else b64decode(value))
        for name, value in letter.header_bytes
    )
