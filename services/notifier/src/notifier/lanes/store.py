"""`lanes.handle.ports.Ledger` in PostgreSQL."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from chassis.postgres.columns import columns
from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock
from notifier.carriers.accounts import Accounts
from notifier.gate.domain.facts import SendingModeName
from notifier.lanes import rate_limit
from notifier.lanes import statements as sql
from notifier.lanes.domain.together import SOON, STEPS_BACK, Whom
from notifier.lanes.domain.undecided import PUT_OFF
from notifier.lanes.handle.ports import Answered, Beside
from notifier.ledger.domain.notification import (
    Accepted,
    Call,
    NotAccepted,
    Notification,
    NotStarted,
    Rejected,
    Row,
    Unsure,
)
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.store.rows import read
from notifier.ledger.store.transaction import PostgresLedgerTransaction
from notifier.opt_outs.domain.refusals import is_opt_out
from notifier.opt_outs.store import stop_refused
from notifier.values.addresses import Peppers
from schemas.notifications import Channel

LEASE_RAN_OUT = "LEASE_RAN_OUT"

MOST_BESIDE = 500
"""Rows that are locked beside those of a claim."""


class PostgresLedger:
    """The ledger.

    Args:
        lease: How long a message may be in `sending`, machine time; longer than any call.
    """

    def __init__(self, pool: Pool, lease: timedelta, accounts: Mapping[Channel, Accounts], peppers: Peppers) -> None:
        self._pool, self._lease, self._accounts, self._peppers = pool, lease, accounts, peppers

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresLaneTransaction"]:
        async with self._pool.transaction(isolation="read_committed") as connection:
            yield PostgresLaneTransaction(connection, self._peppers, self._lease, self._accounts)


class PostgresLaneTransaction(PostgresLedgerTransaction):
    """See `lanes.handle.ports.LaneTransaction`."""

    def __init__(
        self,
        connection: Connection,
        peppers: Peppers,
        lease: timedelta,
        accounts: Mapping[Channel, Accounts],
    ) -> None:
        super().__init__(connection, peppers, lease)
        self._accounts = accounts

    async def take_tokens(self, lane: Channel, per_second: float, most: Mapping[str, int]) -> Mapping[str, int]:
        return await rate_limit.take(self._connection, lane, per_second, most)

    async def give_back_tokens(self, lane: Channel, tokens: Mapping[str, int]) -> None:
        await rate_limit.give_back(self._connection, lane, tokens)

    async def pause(self, lane: Channel, account: str, seconds: float) -> None:
        await rate_limit.pause(self._connection, lane, account, seconds)

    async def paused_s(self, lane: Channel) -> Mapping[str, float]:
        return await rate_limit.paused_s(self._connection, lane)

    async def lock_due(
        self,
        lane: Channel,
        limits: Mapping[str, int],
        now: datetime,
        until: datetime,
        setting: SendingModeName,
        *,
        even_paused: bool = False,
    ) -> Sequence[Row]:
        of, rows = self._accounts[lane], list[asyncpg.Record]()
        clinics, owners = list(of.own), list(of.own.values())
        asked = lane, now, until, setting
        if most := limits.get(of.rest):
            rows += await self._connection.fetch(sql.LOCK_DUE_OF_THE_REST, *asked, clinics, even_paused, of.rest, most)
        if own := {account: most for account, most in limits.items() if account != of.rest}:
            rows += await self._connection.fetch(
                sql.LOCK_DUE_OF_CLINICS, *asked, list(own), list(own.values()), clinics, owners, even_paused
            )
        return [read(row) for row in rows]

    async def lock_beside(
        self, lane: Channel, people: Collection[Whom], but: Collection[UUID], now: datetime, until: datetime
    ) -> Beside:
        asked = lane, now + SOON, now + STEPS_BACK, until
        who, clinics = [one for one, _ in people], [clinic for _, clinic in people]
        found = await self._connection.fetch(sql.BESIDE, *asked, who, clinics, list(but), MOST_BESIDE)
        if not found:
            return Beside()
        ids = [row["notification_id"] for row in found]
        rows = [read(row) for row in await self._connection.fetch(sql.LOCK_BESIDE, *asked, ids)]
        locked = {row.notification_id for row in rows}
        return Beside(rows, [((who, clinic), one) for one, who, clinic in found if one not in locked])

    async def due(
        self, lane: Channel, accounts: Collection[str], now: datetime, until: datetime, setting: SendingModeName
    ) -> Collection[str]:
        of = self._accounts[lane]
        rows = await self._connection.fetch(
            sql.DUE, lane, now, until, setting, of.rest, list(accounts), list(of.own), list(of.own.values())
        )
        return {row["account"] for row in rows}

    async def lock_late(self, lane: Channel, limit: int, now: datetime) -> Sequence[Row]:
        return [read(row) for row in await self._connection.fetch(sql.LOCK_LATE, lane, now, limit)]

    async def lock_run_out(self, lane: Channel, limit: int) -> Sequence[Row]:
        return [read(row) for row in await self._connection.fetch(sql.LOCK_RUN_OUT, lane, limit)]

    async def put_off(self, notification_ids: Collection[UUID], now: datetime, wait: timedelta) -> Collection[UUID]:
        rows = await self._connection.fetch(sql.PUT_OFF, list(notification_ids), now, wait, PUT_OFF)
        return {row["notification_id"] for row in rows}

    async def take_aside(self, notification_ids: Collection[UUID], now: datetime) -> Sequence[Notification]:
        rows = await self._connection.fetch(sql.TAKE_ASIDE, list(notification_ids), now)
        unknown = [row["attempt_id"] for row in rows if row["state"] == NotificationState.UNKNOWN]
        await self._close([(attempt_id, "unknown", LEASE_RAN_OUT, None) for attempt_id in unknown], now)
        return [one for row in rows if isinstance(one := read(row), Notification)]

    async def open_attempts(self, calls: Sequence[Call], now: datetime) -> None:
        every = [each for call in calls for each in call.every]
        if every:
            await self._connection.execute(
                sql.OPEN_ATTEMPTS,
                *columns(
                    every, "attempt_id", "notification_id", "route.channel", "visit.version", "visit.schedule_gen"
                ),
                [self._peppers.of(call.route.address).key for call in every],
                [call.preference_version for call in every],
                now,
                *columns(every, "account", "with_attempt"),
            )

    async def close_attempts(self, answers: Sequence[Answered], now: datetime) -> None:
        columns = [(one.call.attempt_id, *_columns(one)) for one in answers]
        await self._close(columns, now)
        refused = [attempt_id for attempt_id, outcome, code, _ in columns if outcome == "rejected" and is_opt_out(code)]
        await stop_refused(self._connection, refused, now)

    async def give_up_attempts(self, notifications: Sequence[Notification], now: datetime) -> None:
        await self._close([(one.attempt_id, "unknown", LEASE_RAN_OUT, None) for one in notifications], now)

    async def clinics_preferring_doubles(self, clinic_ids: Collection[str]) -> Collection[str]:
        rows = await self._connection.fetch(sql.CLINICS_PREFERRING_DOUBLES, list(clinic_ids))
        return {row[0] for row in rows}

    async def _close(self, attempts: Sequence[tuple[UUID | None, str, str | None, str | None]], now: datetime) -> None:
        if attempts:
            columns = (list(column) for column in zip(*attempts, strict=True))
            await self._connection.execute(sql.CLOSE_ATTEMPTS, *columns, now)


class Workload:
    """What the ledger holds for some lanes."""

    def __init__(self, pool: Pool, lanes: Sequence[Channel], clock: Clock, setting: SendingModeName) -> None:
        self._pool, self._lanes, self._clock, self._setting = pool, [lane.value for lane in lanes], clock, setting

    async def idle(self) -> bool:
        """Say whether nothing can be claimed now and no call is under way."""
        return not await self._pool.fetchval(sql.CLAIMABLE, self._lanes, self._clock.now(), self._setting.value)

    async def next_wake(self) -> datetime | None:
        """Return the soonest domain instant at which a queued message may be claimed, or None.

        For a held message that is when its deadline has passed.
        """
        wake: datetime | None = await self._pool.fetchval(sql.NEXT_WAKE, self._lanes, self._setting.value)
        return wake

    async def mode(self) -> str:
        """Return the installation's sending mode: what somebody has switched, else the setting."""
        return await self._pool.fetchval(sql.SENDING_MODE) or self._setting.value

    async def count(self, state: NotificationState) -> int:
        """Return how many notifications are in this state."""
        return int(await self._pool.fetchval(sql.COUNT_STATE, state.value))


def _columns(one: Answered) -> tuple[str, str | None, str | None]:
    """Return (outcome, code, the carrier's reference) as the attempt keeps them; of a call, its lead has the last."""
    match one.answer:
        case Accepted(reference=reference):
            return "accepted", None, None if one.call.with_attempt else reference[:200]
        case Rejected(code=code):
            return "rejected", code, None
        case NotAccepted(code=code):
            return "not-accepted", code, None
        case Unsure(code=code):
            return "unknown", code, None
        case NotStarted():
            return "not-started", None, None
