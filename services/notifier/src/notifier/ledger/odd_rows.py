"""Rows of the ledger as people read them: one that this version cannot read hides no other."""

from collections.abc import Callable, Iterable, Iterator

import asyncpg
import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def readable[T](rows: Iterable[asyncpg.Record], read: Callable[[asyncpg.Record], T]) -> Iterator[T]:
    """Give each message as `read` returns it; one that raises is logged with its id and left out."""
    for row in rows:
        try:
            yield read(row)
        except (ValueError, LookupError, TypeError):
            log.exception("message.unreadable", notification_id=str(row["notification_id"]))
