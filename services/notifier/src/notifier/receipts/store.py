"""`receipts.handle.Receipts` in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import asyncpg

from chassis.postgres.after_commit import said_after_commit
from chassis.postgres.columns import columns
from chassis.postgres.database import Connection, Pool
from notifier.ledger import statements as ledger_statements
from notifier.ledger.domain.notification import Notification
from notifier.ledger.store.rows import notification
from notifier.ledger.store.transaction import PostgresLedgerTransaction
from notifier.opt_outs.store import stop_refused
from notifier.opt_outs.whatsapp_users import link_attempts
from notifier.receipts import statements as sql
from notifier.receipts.domain import Carrier, Made, Receipt, Reported
from notifier.receipts.handle import Kept, Moved, Noted
from notifier.values.addresses import Peppers
from schemas.notifications import Channel, DeliveryState

LONGEST_KEY = 400


class PostgresReceipts:
    """See `receipts.handle.Receipts`."""

    def __init__(self, pool: Pool, peppers: Peppers) -> None:
        self._pool, self._peppers = pool, peppers

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresReceiptTransaction"]:
        with said_after_commit():
            async with self._pool.transaction(isolation="read_committed") as connection:
                yield PostgresReceiptTransaction(connection, self._peppers)

    async def unmatched(self) -> int:
        """Return how many reports name no attempt that is known."""
        return int(await self._pool.fetchval(sql.COUNT_UNMATCHED))


class PostgresReceiptTransaction:
    """See `receipts.handle.ReceiptTransaction`."""

    def __init__(self, connection: Connection, peppers: Peppers) -> None:
        self._connection, self._peppers = connection, peppers
        self._ledger = PostgresLedgerTransaction(connection, peppers)

    async def keep(self, reports: Sequence[Receipt], now: datetime) -> Sequence[Kept]:
        once = list({(one.carrier, _key(one)): one for one in reversed(reports)}.values())
        users = {_key(one)[:LONGEST_KEY]: one.user_ids for one in once}
        carriers = [one.carrier.value for one in once]
        said = columns(once, "attempt_id", "reference", "status.value", "code", "occurred_at", "account")
        keys = [_key(one)[:LONGEST_KEY] for one in once]
        rows = await self._connection.fetch(sql.KEEP_RECEIPTS, carriers, keys, *said, now) if once else []
        return [_kept(row, users[row["key"]]) for row in rows]

    async def waiting(self, limit: int, since: datetime) -> Sequence[Kept]:
        speaks = columns(list(Carrier), "value", "channel.value")
        return [_kept(row) for row in await self._connection.fetch(sql.WAITING_RECEIPTS, limit, since, *speaks)]

    async def lock(self, reports: Sequence[Kept]) -> Mapping[UUID, Notification]:
        made = await self.made(reports)
        if not made:
            return {}
        rows = await self._connection.fetch(
            ledger_statements.LOCK, list({one.notification_id for call in made.values() for one in call})
        )
        return {row["notification_id"]: notification(row) for row in rows}

    async def made(self, reports: Sequence[Kept]) -> Mapping[int, Sequence[Made]]:
        rows = await self._connection.fetch(
            sql.ATTEMPTS_OF_RECEIPTS,
            *columns(
                reports,
                "receipt_id",
                "report.attempt_id",
                "report.reference",
                "report.carrier.channel.value",
                "report.account",
            ),
        )
        found: dict[int, list[Made]] = {}
        for row in rows:
            found.setdefault(row["receipt_id"], []).append(_made(row))
        return found

    async def move(self, attempts: Sequence[Moved]) -> None:
        if attempts:
            await self._connection.execute(
                sql.MOVE_ATTEMPTS,
                *columns(attempts, "attempt_id", "delivery_state.value", "reference", "accepted"),
            )

    async def write(self, notifications: Sequence[Notification], now: datetime) -> None:
        await self._ledger.write(notifications, now)

    async def publish(self, notifications: Sequence[Notification], now: datetime) -> None:
        await self._ledger.publish(notifications, now)

    async def note(self, noted: Sequence[Noted], now: datetime) -> None:
        if noted:
            await self._connection.execute(
                sql.NOTE_RECEIPTS,
                *columns(noted, "receipt_id", "made.attempt_id", "made.notification_id", "changed"),
                now,
            )

    async def link(self, users: Sequence[tuple[str, UUID]], now: datetime) -> None:
        if users:
            keys = [self._peppers.of_user(user)[0] for user, _ in users]
            await link_attempts(self._connection, keys, [attempt_id for _, attempt_id in users], now)

    async def stop(self, attempts: Sequence[UUID], now: datetime) -> None:
        await stop_refused(self._connection, attempts, now)

    async def give_up(self, receipt_id: int, trouble: str, now: datetime) -> None:
        await self._connection.execute(sql.GIVE_UP_RECEIPT, receipt_id, now, trouble)


def _key(one: Receipt) -> str:
    """Return what makes it the same: of another account's secret it is another report."""
    return f"{one.key}/{one.account}" if one.account else one.key


def _kept(row: asyncpg.Record, user_ids: tuple[str, ...] = ()) -> Kept:
    report = Receipt(
        carrier=Carrier(row["carrier"]),
        key=row["key"],
        status=Reported(row["status"]),
        attempt_id=row["asked_attempt_id"],
        reference=row["reference"],
        code=row["code"],
        occurred_at=row["occurred_at"],
        account=row["account"],
        user_ids=user_ids,
    )
    return Kept(row["receipt_id"], report)


def _made(row: asyncpg.Record) -> Made:
    return Made(
        attempt_id=row["attempt_id"],
        notification_id=row["notification_id"],
        channel=Channel(row["channel"]),
        outcome=row["outcome"],
        delivery_state=DeliveryState(row["delivery_state"]),
        is_lead=row["with_attempt"] is None,
    )
