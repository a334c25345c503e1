"""What carriers sent and nobody could read, in PostgreSQL: kept with its bytes, gone after its time."""

from collections.abc import Sequence
from hashlib import sha256
from operator import attrgetter

import structlog

from chassis.api.page_cursor import next_place
from chassis.postgres.database import Pool
from chassis.process.clock import Clock
from notifier.callbacks.bodies import UnreadablePage, UnreadableView
from notifier.callbacks.handle.intake import Came, Unread
from notifier.callbacks.handle.replay import Kept, Replayed
from notifier.callbacks.statements import CONTENT, COUNT, IS_FULL, KEEP, LIST, ONE, REPLAYED
from notifier.receipts.domain import Carrier

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LARGEST_KEPT = 64 * 1024
"""Bytes of one; what is longer is cut."""
MOST_KEPT = 10_000
"""At once: 640 MB at the most. Beyond it they are counted and logged, and their bytes are lost."""


class PostgresUnreadables:
    """See `callbacks.handle.intake.Unreadables`."""

    def __init__(self, pool: Pool, clock: Clock, most: int = MOST_KEPT) -> None:
        self._pool, self._clock, self._most = pool, clock, most

    async def keep(self, carrier: Carrier, items: Sequence[Unread]) -> int:
        new = await self._pool.fetch(
            KEEP,
            carrier.value,
            [one.reason for one in items],
            [one.content[:LARGEST_KEPT] for one in items],
            [len(one.content) for one in items],
            [sha256(one.content).digest() for one in items],
            self._clock.now(),
            self._most,
            [one.came.form for one in items],
            [one.came.account for one in items],
        )
        if not new and await self._pool.fetchval(IS_FULL, self._most):
            log.error("callback.unreadable_not_kept", carrier=carrier.value, count=len(items))
        return len(new)

    async def one(self, unreadable_id: int) -> Kept | None:
        row = await self._pool.fetchrow(ONE, unreadable_id)
        if row is None:
            return None
        done = Replayed(row["replayed_at"], row["replayed_by"], repeat=True) if row["replayed_at"] else None
        is_whole = row["size"] == len(row["content"])
        came = Came(row["form"] or "", row["account"])
        return Kept(Carrier(row["carrier"]), row["content"], row["received_at"], is_whole, came, done)

    async def note(self, unreadable_id: int, replayed: Replayed) -> None:
        await self._pool.execute(REPLAYED, unreadable_id, replayed.at, replayed.by)

    async def count(self) -> int:
        """Return how many are kept that nobody has had read again."""
        return int(await self._pool.fetchval(COUNT))

    async def page(self, carrier: Carrier | None, before: int | None, limit: int) -> UnreadablePage:
        """Return a page of what is kept, newest first."""
        rows = await self._pool.fetch(LIST, carrier, before, limit)
        items = [UnreadableView.model_validate(dict(row)) for row in rows]
        return UnreadablePage(items=items, next_before=next_place(items, limit, attrgetter("unreadable_id")))

    async def content(self, unreadable_id: int) -> bytes | None:
        """Return the bytes of one as they came, None if there is none of this number."""
        content: bytes | None = await self._pool.fetchval(CONTENT, unreadable_id)
        return content
