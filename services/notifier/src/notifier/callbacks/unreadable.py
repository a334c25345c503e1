"""What carriers sent and nobody could read: kept with its bytes, listed, read again on demand, gone after its time.

It may hold whatever patients and carriers wrote, so it is in no log and behind the operator's key alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any

import asyncpg
import structlog
from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict

from chassis.asked import By
from chassis.clock import Clock
from chassis.database import unavailable
from chassis.http import Problem
from notifier.callbacks.handle.intake import Came, Unread
from notifier.callbacks.handle.replay import Kept, NotReplayable, Replayed, StillUnreadable
from notifier.receipts.domain import Carrier

log: structlog.stdlib.BoundLogger = structlog.get_logger()

LARGEST_KEPT = 64 * 1024
"""Bytes of one; what is longer is cut."""
MOST_KEPT = 10_000
"""At once: 640 MB at the most. Beyond it they are counted and logged, and their bytes are lost."""
PAGE, LONGEST_PAGE = 100, 500
HIGHEST = 2**63 - 1

KEEP = """
INSERT INTO unreadable_callback (carrier, reason, content, size, content_sha256, received_at, form, account)
SELECT $1, new.reason, new.content, new.size, new.content_sha256, $6, new.form, new.account
FROM unnest($2::text[], $3::bytea[], $4::integer[], $5::bytea[], $8::text[], $9::text[])
    AS new (reason, content, size, content_sha256, form, account)
WHERE (SELECT count(*) FROM (SELECT FROM unreadable_callback LIMIT $7) AS held) < $7
ON CONFLICT DO NOTHING RETURNING unreadable_id"""

LIST = """
SELECT unreadable_id, carrier, reason, size, received_at, replayed_at, replayed_by FROM unreadable_callback
WHERE ($1::text IS NULL OR carrier = $1) AND ($2::bigint IS NULL OR unreadable_id < $2)
ORDER BY unreadable_id DESC LIMIT $3"""

CONTENT = "SELECT content FROM unreadable_callback WHERE unreadable_id = $1"
COUNT = "SELECT count(*) FROM unreadable_callback WHERE replayed_at IS NULL"
ONE = """
SELECT carrier, content, size, form, account, received_at, replayed_at, replayed_by FROM unreadable_callback
WHERE unreadable_id = $1"""
REPLAYED = """
UPDATE unreadable_callback SET replayed_at = $2, replayed_by = $3 WHERE unreadable_id = $1 AND replayed_at IS NULL"""
IS_FULL = "SELECT count(*) >= $1 FROM (SELECT FROM unreadable_callback LIMIT $1) AS held"


class PostgresUnreadables:
    """See `callbacks.handle.intake.Unreadables`.

    Args:
        pool: Connections to the schema `notifier`.
        clock: Domain time.
        most: How many are kept at once.
    """

    def __init__(self, pool: asyncpg.Pool, clock: Clock, most: int = MOST_KEPT) -> None:
        self._pool, self._clock, self._most = pool, clock, most

    async def keep(self, carrier: Carrier, items: Sequence[Unread]) -> int:
        """See `callbacks.handle.intake.Unreadables`."""
        with unavailable():
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
        """See `callbacks.handle.replay.KeptCallbacks`."""
        with unavailable():
            row = await self._pool.fetchrow(ONE, unreadable_id)
        if row is None:
            return None
        done = Replayed(row["replayed_at"], row["replayed_by"], repeat=True) if row["replayed_at"] else None
        is_whole = row["size"] == len(row["content"])
        came = Came(row["form"] or "", row["account"])
        return Kept(Carrier(row["carrier"]), row["content"], row["received_at"], is_whole, came, done)

    async def note(self, unreadable_id: int, replayed: Replayed) -> None:
        """See `callbacks.handle.replay.KeptCallbacks`."""
        with unavailable():
            await self._pool.execute(REPLAYED, unreadable_id, replayed.at, replayed.by)

    async def count(self) -> int:
        """Return how many are kept that nobody has had read again."""
        with unavailable():
            return int(await self._pool.fetchval(COUNT))


class UnreadableView(BaseModel):
    """One that could not be read. `size`: its bytes, of which the first 64 KiB are kept.

    `replayed_at`, `replayed_by`: when it was read again and done, and who had that done.
    """

    unreadable_id: int
    carrier: Carrier
    reason: str
    size: int
    received_at: datetime
    replayed_at: datetime | None = None
    replayed_by: str | None = None


class ReplayBody(BaseModel):
    """Who does it, for the audit."""

    model_config = ConfigDict(extra="forbid")
    by: By = "operator"


class ReplayView(BaseModel):
    """What was done. `repeat`: it had been done before, and nothing was done now."""

    unreadable_id: int
    replayed_at: datetime
    replayed_by: str
    repeat: bool


class UnreadablePage(BaseModel):
    """Newest first; `next_before` is the `before` of the next page, null on the last."""

    items: list[UnreadableView]
    next_before: int | None = None


type Replay = Callable[[int, str], Awaitable[Replayed | None]]
"""Replays one for a person; see `callbacks.handle.replay.replay`."""


def routes(pool: asyncpg.Pool, replay: Replay, operator: Any) -> APIRouter:
    """Return the routes.

    Args:
        pool: Connections to the schema `notifier`.
        replay: Has one read again and done.
        operator: The dependency that lets only the operator's key in.
    """
    router = APIRouter(prefix="/v1/unreadable-callbacks", tags=["callbacks"], dependencies=[Depends(operator)])

    @router.get("", summary="What carriers sent and nobody could read, newest first")
    async def unreadable(
        carrier: Carrier | None = None,
        before: Annotated[int | None, Query(ge=1, le=HIGHEST)] = None,
        limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = PAGE,
    ) -> UnreadablePage:
        with unavailable():
            rows = await pool.fetch(LIST, carrier, before, limit)
        items = [UnreadableView.model_validate(dict(row)) for row in rows]
        return UnreadablePage(items=items, next_before=items[-1].unreadable_id if len(items) == limit else None)

    @router.get("/{unreadable_id}", summary="Its bytes, as they came", response_class=Response)
    async def content(unreadable_id: Annotated[int, Path(ge=1, le=HIGHEST)]) -> Response:
        with unavailable():
            found: bytes | None = await pool.fetchval(CONTENT, unreadable_id)
        if found is None:
            raise _unknown()
        headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff"}
        return Response(found, media_type="application/octet-stream", headers=headers)

    @router.post("/{unreadable_id}/replay", summary="Read it again by this version, and do what it says")
    async def replay_one(unreadable_id: Annotated[int, Path(ge=1, le=HIGHEST)], body: ReplayBody) -> ReplayView:
        try:
            done = await replay(unreadable_id, body.by)
        except NotReplayable as error:
            raise Problem(409, error.code, error.message) from None
        except StillUnreadable as error:
            errors = [{"place": reason, "code": "UNREADABLE"} for reason in error.reasons]
            raise Problem(409, error.code, "This version cannot read or do it either.", errors) from None
        if done is None:
            raise _unknown()
        log.info("callback.replayed", unreadable_id=unreadable_id, repeat=done.repeat)
        return ReplayView(unreadable_id=unreadable_id, replayed_at=done.at, replayed_by=done.by, repeat=done.repeat)

    return router


def _unknown() -> Problem:
    return Problem(404, "UNKNOWN_CALLBACK", "There is none of this number, or it was kept long enough.")
