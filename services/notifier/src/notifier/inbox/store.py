"""The providers' inboxes in PostgreSQL: each notice under the next number of its provider."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import count
from uuid import UUID

import asyncpg

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection, Pool
from notifier.inbox import statements as sql
from notifier.inbox.bodies import NoticeView, TokenView
from notifier.inbox.notice import Notice
from notifier.ledger.store.rows import FROM_ROWS
from schemas.zones import zone_of

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


class PostgresInbox:
    """What a provider's programs read and mark, and the tokens that let them in."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def notices(self, provider_id: UUID, after: int, limit: int, *, unread: bool = False) -> list[NoticeView]:
        """Return up to `limit` notices above number `after`, in order."""
        return [_view(row) for row in await self._pool.fetch(sql.INBOX, provider_id, after, limit, unread)]

    async def unread(self, provider_id: UUID) -> int:
        return int(await self._pool.fetchval(sql.UNREAD, provider_id))

    async def mark_all_read(self, provider_id: UUID, up_to: int, now: datetime) -> int:
        """Return how many were not read before."""
        return len(await self._pool.fetch(sql.MARK_ALL_READ, provider_id, up_to, now))

    async def mark_read(self, provider_id: UUID, number: int, now: datetime) -> datetime | None:
        """Return when it was first read; None: there is no such notice."""
        read_at: datetime | None = await self._pool.fetchval(sql.MARK_READ, provider_id, number, now)
        return read_at

    async def mark_unread(self, provider_id: UUID, number: int) -> bool:
        """Say whether there is such a notice."""
        return await self._pool.fetchval(sql.MARK_UNREAD, provider_id, number) is not None

    async def issue(self, token: TokenView, digest: bytes) -> None:
        known = (token.token_id, digest, token.provider_id, token.label, token.issued_at)
        await self._pool.execute(sql.ISSUE, *known)

    async def tokens(self, provider_id: UUID) -> list[TokenView]:
        return [TokenView.model_validate(dict(row)) for row in await self._pool.fetch(sql.ISSUED, provider_id)]

    async def revoke(self, provider_id: UUID, token_id: UUID, now: datetime) -> TokenView | None:
        row = await self._pool.fetchrow(sql.REVOKE, provider_id, token_id, now)
        return None if row is None else TokenView.model_validate(dict(row))

    async def whose(self, digest: bytes) -> UUID | None:
        """Return the provider whose inbox a token opens; None: it opens nothing, or nothing any more."""
        provider_id: UUID | None = await self._pool.fetchval(sql.WHOSE, digest)
        return provider_id

    async def newest(self, providers: Collection[UUID]) -> Mapping[UUID, int]:
        """See `inbox.streams.Newest`."""
        return {row[0]: row[1] for row in await self._pool.fetch(sql.NEWEST, list(providers))}

    async def standing(self, digests: Collection[bytes]) -> Collection[bytes]:
        """See `inbox.streams.Standing`."""
        return [row[0] for row in await self._pool.fetch(sql.STANDING, list(digests))]


def _view(row: asyncpg.Record) -> NoticeView:
    local = row["starts_at"].astimezone(zone_of(row["zone"]))
    values = {**dict(row), "starts_at": local, "date": f"{local:%Y-%m-%d}", "time": f"{local:%H:%M}"}
    return NoticeView.model_validate(values)
