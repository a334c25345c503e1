"""`handle.lane.Ledger` in PostgreSQL."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from chassis.database import Connection, unavailable
from chassis.outbox import enqueue
from notifier.adapters import sql
from notifier.adapters.columns import notification
from notifier.adapters.gate import read_gate, read_preferences
from notifier.adapters.outgoing import notification_changed
from notifier.domain.ledger import Accepted, Answer, Call, NotAccepted, Notification, NotStarted, Rejected, Unsure
from notifier.domain.visits import Preferences, Visit
from notifier.handle.lane import Answered
from schemas.notifications import Channel

LEASE_RAN_OUT = "LEASE_RAN_OUT"


class PostgresLedger:
    """The ledger.

    Args:
        pool: Connections to the schema `notifier`.
        lease: How long a message may be in `sending`, machine time; longer than any call.
    """

    def __init__(self, pool: asyncpg.Pool, lease: timedelta) -> None:
        self._pool = pool
        self._lease = lease

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresLaneTransaction"]:
        """See `handle.lane.Ledger`."""
        with unavailable():
            async with self._pool.acquire() as connection, connection.transaction(isolation="read_committed"):
                yield PostgresLaneTransaction(connection, self._lease)


class PostgresLaneTransaction:
    """See `handle.lane.LaneTransaction`."""

    def __init__(self, connection: Connection, lease: timedelta) -> None:
        self._connection = connection
        self._lease = lease

    async def lock_due(self, lane: Channel, limit: int, now: datetime, *, overdue_only: bool) -> Sequence[Notification]:
        """See `handle.lane.LaneTransaction`."""
        rows = await self._connection.fetch(sql.LOCK_DUE, lane, now, limit, overdue_only)
        return [notification(row) for row in rows]

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Notification]:
        """See `handle.lane.LaneTransaction`."""
        return [notification(row) for row in await self._connection.fetch(sql.LOCK_RUN_OUT, lane, limit)]

    async def lock(self, notification_ids: Collection[UUID]) -> Mapping[UUID, Notification]:
        """See `handle.lane.LaneTransaction`."""
        rows = await self._connection.fetch(sql.LOCK, list(notification_ids))
        return {row["notification_id"]: notification(row) for row in rows}

    async def gate(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Visit]:
        """See `handle.lane.LaneTransaction`."""
        return await read_gate(self._connection, appointment_ids)

    async def preferences(self, patient_ids: Collection[UUID]) -> Mapping[UUID, Preferences]:
        """See `handle.lane.LaneTransaction`."""
        return await read_preferences(self._connection, patient_ids)

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        """See `handle.lane.LaneTransaction`."""
        if notifications:
            await self._connection.execute(
                sql.WRITE,
                [one.notification_id for one in notifications],
                [one.state for one in notifications],
                [one.lane for one in notifications],
                [one.not_after for one in notifications],
                [one.next_attempt_at for one in notifications],
                [one.version for one in notifications],
                [one.attempts for one in notifications],
                [one.attempt_id for one in notifications],
                [one.reason for one in notifications],
                now,
                self._lease,
            )

    async def open_attempts(self, calls: Sequence[Call]) -> None:
        """See `handle.lane.LaneTransaction`."""
        if calls:
            await self._connection.execute(
                sql.OPEN_ATTEMPTS,
                [call.attempt_id for call in calls],
                [call.notification_id for call in calls],
                [call.ordinal for call in calls],
                [call.route.channel for call in calls],
                [call.visit.version for call in calls],
            )

    async def close_attempts(self, answers: Sequence[Answered]) -> None:
        """See `handle.lane.LaneTransaction`."""
        columns = [(one.call.attempt_id, *_columns(one.answer)) for one in answers]
        await self._close(columns)

    async def give_up_attempts(self, notifications: Sequence[Notification]) -> None:
        """See `handle.lane.LaneTransaction`."""
        await self._close([(one.attempt_id, "unknown", LEASE_RAN_OUT, None) for one in notifications])

    async def _close(self, columns: Sequence[tuple[UUID | None, str, str | None, str | None]]) -> None:
        if columns:
            await self._connection.execute(sql.CLOSE_ATTEMPTS, *(list(column) for column in zip(*columns, strict=True)))

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        """See `handle.lane.LaneTransaction`."""
        await enqueue(self._connection, [notification_changed(one, now) for one in notifications])


def _columns(answer: Answer) -> tuple[str, str | None, str | None]:
    """Return (outcome, code, the carrier's reference) as the attempt keeps them."""
    match answer:
        case Accepted(reference=reference):
            return "accepted", None, reference[:200]
        case Rejected(code=code):
            return "rejected", code, None
        case NotAccepted(code=code):
            return "not-accepted", code, None
        case Unsure(code=code):
            return "unknown", code, None
        case NotStarted():
            return "not-started", None, None
