"""Notices into the providers' inboxes, in PostgreSQL: each under the next number of its provider."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import count

from chassis.postgres.database import Connection
from notifier.inbox import statements as sql
from notifier.inbox.notice import Notice
from notifier.ledger.rows import FROM_ROWS

_INBOX = (
    "provider_id", "number", "notification_id", "kind", "appointment_id", "title", "body", "patient_name", "starts_at",
    "zone", "service_type", "link", "created_at",
)  # fmt: skip


async def deliver(connection: Connection, notices: Sequence[Notice], now: datetime) -> None:
    """Append notices in the order given, numbered under each provider's row lock until the transaction's end.

    Args:
        connection: In a READ COMMITTED transaction.
        notices: At least one; none is there yet.
    """
    providers = [notice.provider_id for notice in notices]
    known = await connection.fetch(sql.LOCK_PROVIDERS, providers)
    if len(known) < len(set(providers)):  # the first notice of one of them
        await connection.execute(sql.ADD_PROVIDERS, providers)
        await connection.fetch(sql.LOCK_PROVIDERS, providers)
    if len(notices) >= FROM_ROWS and not any(notice.visits for notice in notices):
        await _number_and_copy(connection, notices, now)
    else:
        await _number_and_insert(connection, notices, now)


async def _number_and_copy(connection: Connection, notices: Sequence[Notice], now: datetime) -> None:
    counts = Counter(notice.provider_id for notice in notices)
    rows = await connection.fetch(sql.NUMBER, list(counts), list(counts.values()))
    next_of = {row[0]: count(row[1] + 1) for row in rows}
    numbers = [next(next_of[notice.provider_id]) for notice in notices]
    await _copy(connection, notices, numbers, now)


async def _number_and_insert(connection: Connection, notices: Sequence[Notice], now: datetime) -> None:
    await connection.execute(
        sql.DELIVER_IN_APP,
        [notice.provider_id for notice in notices],
        [notice.notification_id for notice in notices],
        [notice.kind for notice in notices],
        [notice.appointment_id for notice in notices],
        [notice.title for notice in notices],
        [notice.body for notice in notices],
        [notice.patient_name for notice in notices],
        [notice.starts_at for notice in notices],
        [notice.zone for notice in notices],
        [notice.service_type for notice in notices],
        [notice.link for notice in notices],
        [notice.visits for notice in notices],
        now,
    )


async def _copy(connection: Connection, notices: Sequence[Notice], numbers: Sequence[int], now: datetime) -> None:
    """Copy notices about single visits into the inboxes, under the numbers given."""
    records = [
        (
            one.provider_id, number, one.notification_id, one.kind, one.appointment_id, one.title, one.body,
            one.patient_name, one.starts_at, one.zone, one.service_type, one.link, now,
        )
        for one, number in zip(notices, numbers, strict=True)
    ]  # fmt: skip
    await connection.copy_records_to_table("inbox", records=records, columns=_INBOX)
