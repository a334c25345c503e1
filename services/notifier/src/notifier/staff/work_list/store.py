"""The work list in PostgreSQL: its pages, and the transactions of `staff.work_list.handle.Desk`."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from pydantic import TypeAdapter, ValidationError

from chassis.api.page_cursor import Cursor
from chassis.postgres.database import Pool
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.plain_english import reason_words
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.store.rows import insert, readable
from notifier.ledger.store.transaction import PostgresLedgerTransaction
from notifier.staff.work_list import statements as sql
from notifier.staff.work_list.bodies import (
    PAGE,
    Beginning,
    DoneView,
    Filters,
    ItemView,
    Named,
    NamedView,
    ReplyItem,
    StepView,
    WorkList,
)
from notifier.staff.work_list.domain import BY_A_PERSON, Act, acts
from notifier.staff.work_list.handle import Done
from notifier.values.addresses import Peppers
from schemas.notifications import Kind

RECENT = timedelta(days=7)
"""How long after its visit a message still waits for somebody; G7's 72 hours are over by then."""

_STEPS = TypeAdapter(list[StepView])


class PostgresDesk:
    """See `staff.work_list.handle.Desk`."""

    def __init__(self, pool: Pool, peppers: Peppers) -> None:
        self._pool, self._peppers = pool, peppers

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresDeskTransaction"]:
        async with self._pool.transaction(isolation="read_committed") as connection:
            yield PostgresDeskTransaction(connection, self._peppers)


class PostgresDeskTransaction(PostgresLedgerTransaction):
    """See `staff.work_list.handle.DeskTransaction`."""

    async def acts(self, notification_id: UUID) -> Sequence[tuple[Done, UUID | None]]:
        rows = await self._connection.fetch(sql.ACTS, [notification_id])
        return [
            (
                Done(
                    notification_id,
                    Act(row["action"]),
                    row["acted_by"],
                    row["acted_at"],
                    row["arrived"],
                    row["resent_as"],
                    NotificationState.QUEUED,
                ),
                row["attempt_id"],
            )
            for row in rows
        ]

    async def insert(self, notifications: Sequence[Notification], now: datetime) -> None:
        await insert(self._connection, notifications, now)

    async def of_one_call(self, notification_id: UUID) -> Collection[UUID]:
        rows = await self._connection.fetch(sql.OF_ONE_CALL, notification_id)
        return {notification_id, *(row["notification_id"] for row in rows)}

    async def close_by_a_person(self, attempt_ids: Collection[UUID], now: datetime, *, arrived: bool) -> None:
        outcome = "accepted" if arrived else "rejected"
        await self._connection.execute(sql.CLOSE_BY_A_PERSON, list(attempt_ids), outcome, BY_A_PERSON, now)

    async def note(self, done: Done, attempt_id: UUID | None) -> None:
        await self._connection.execute(
            sql.NOTE,
            done.notification_id,
            attempt_id,
            done.act.value,
            done.arrived,
            done.resent_as,
            done.acted_by,
            done.acted_at,
        )


async def find(pool: Pool, filters: Filters, now: datetime) -> WorkList:
    """Return one page of the list."""
    place = Cursor.read(filters.after) if filters.after else None
    since = now if filters.ahead else now - RECENT
    rows = await pool.fetch(
        sql.LIST, since, filters.clinic, filters.reason, filters.state, place.at if place else None,
        place.id if place else None, filters.limit + 1,
    )  # fmt: skip
    shown = rows[: filters.limit]
    names = await pool.fetch(sql.NAMES, sorted({row["appointment_id"] for row in shown})) if shown else []
    replies = [] if place else await pool.fetch(sql.REPLIES, filters.clinic, PAGE)
    known = {row["appointment_id"]: row for row in names}
    items = list(readable(shown, lambda row: _item(row, known.get(row["appointment_id"]), now)))
    more = Cursor(shown[-1]["starts_at"], shown[-1]["notification_id"]).text() if len(rows) > filters.limit else None
    return WorkList(items=items, replies=[ReplyItem.model_validate(dict(reply)) for reply in replies], next_after=more)


async def named(pool: Pool, asked: Beginning) -> Named:
    """Return the messages whose ids begin so, each with what was done with it."""
    rows = await pool.fetch(sql.NAMED, *asked.bounds)
    done: dict[UUID, list[DoneView]] = {row["notification_id"]: [] for row in rows}
    for row in await pool.fetch(sql.ACTS, list(done)):
        done[row["notification_id"]].append(DoneView.model_validate({**dict(row), "act": row["action"]}))
    return Named(
        items=[
            NamedView.model_validate({**dict(row), "kind": _kind(row["kind"]), "done": done[row["notification_id"]]})
            for row in rows
        ]
    )


def _item(row: asyncpg.Record, known: asyncpg.Record | None, now: datetime) -> ItemView:
    kind, steps = _kind(row["kind"]), _steps(row["steps"])
    is_read = kind is not None and steps is not None
    return ItemView.model_validate(
        {
            **dict(row),
            "kind": kind,
            "steps": steps or [],
            "patient_name": known["patient_name"] if known else None,
            "zone": known["zone"] if known else None,
            "reason_text": reason_words(row["reason"]),
            "actions": acts(kind, NotificationState(row["state"]), row["starts_at"], now) if kind and is_read else (),
        }
    )


def _kind(kept: str) -> Kind | None:
    """Return the kind, or None if this version does not know it."""
    return Kind(kept) if kept in set(Kind) else None


def _steps(kept: object) -> list[StepView] | None:
    """Return the channels passed over, or None if this version cannot read them."""
    try:
        return _STEPS.validate_python(kept)
    except ValidationError:
        return None
