"""Notices into the providers' inboxes, in PostgreSQL: each under the next number of its provider."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import count

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection
from notifier.inbox import statements as sql
from notifier.inbox.notice import Notice
from notifier.ledger.rows import FROM_ROWS

_NOTICE = (
    "provider_id", "notification_id", "kind", "appointment_id", "title", "body", "patient_name", "starts_at", "zone",
    "service_type", "link",
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
        await connection.execute(sql.DELIVER_IN_APP, *columns(notices, *_NOTICE, "visits"), now)


async def _number_and_copy(connection: Connection, notices: Sequence[Notice], now: datetime) -> None:
    counts = Counter(notice.provider_id for notice in notices)
    rows = await connection.fetch(sql.NUMBER, list(counts), list(counts.values()))
    next_of = {row[0]: count(row[1] + 1) for row in rows}
    numbers = [next(next_of[notice.provider_id]) for notice in notices]
    records = zip(numbers, *columns(notices, *_NOTICE), [now] * len(notices), strict=True)
    await connection.copy_records_to_table("inbox", records=records, columns=("number", *_NOTICE, "created_at"))
