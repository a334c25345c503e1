"""What the ledger holds of one appointment, as facts for its timeline."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from chassis.postgres.database import Connection, Pool
from chassis.process.clock import Clock
from notifier.gate.domain.modes import SendingMode
from notifier.ledger.domain.notification import Notification
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.store.rows import read, readable
from notifier.ledger.store.transaction import PostgresLedgerTransaction
from notifier.ledger.view import see
from notifier.timeline import statements
from notifier.timeline.domain.outlook import Hold, Outlook, Standing
from notifier.timeline.domain.sent_messages import (
    ActFact,
    CallFact,
    MessageFact,
    OptOutFact,
    ReceiptFact,
    ReplyFact,
    StepFact,
)
from notifier.timeline.domain.tellers import TellerFact
from notifier.timeline.handle import OwnFacts
from notifier.values.addresses import Peppers
from notifier.values.kinds import PATIENT
from schemas.notifications import Channel, DeliveryState, Kind

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class OwnLedger:
    """Reads what the notifier itself knows of a visit."""

    def __init__(self, pool: Pool, clock: Clock, peppers: Peppers, sending: SendingMode) -> None:
        self._pool, self._clock, self._peppers, self._sending = pool, clock, peppers, sending

    async def facts(self, appointment_id: UUID) -> OwnFacts:
        """Return all facts of one appointment, as one instant saw them."""
        async with self._pool.transaction(isolation="repeatable_read", readonly=True) as connection:
            rows = await connection.fetch(statements.MESSAGES, appointment_id)
            ids = [row["notification_id"] for row in rows]
            calls = await connection.fetch(statements.CALLS, ids)
            return OwnFacts(
                zone=await connection.fetchval(statements.ZONE, appointment_id),
                messages=_messages(rows, calls),
                receipts=tuple(ReceiptFact(**_plain(row)) for row in await connection.fetch(statements.RECEIPTS, ids)),
                replies=tuple(
                    ReplyFact(**_plain(row)) for row in await connection.fetch(statements.REPLIES, appointment_id)
                ),
                opt_outs=tuple(OptOutFact(**_plain(row)) for row in await connection.fetch(statements.OPT_OUTS, ids)),
                tellers=_tellers(await connection.fetch(statements.TELLERS, appointment_id)),
                acts=tuple(ActFact(**_plain(row)) for row in await connection.fetch(statements.ACTS, ids)),
                outlook=await self._outlook(connection, appointment_id),
            )

    async def _outlook(self, connection: Connection, appointment_id: UUID) -> Outlook | None:
        """Return what the gate sees now; None if booking does not know the visit, or it cannot be read."""
        now, work = self._clock.now(), PostgresLedgerTransaction(connection, self._peppers)
        queued = [read(row) for row in await connection.fetch(statements.QUEUED, appointment_id)]
        reminder = _a_reminder(appointment_id, now)
        asked = [reminder, *(one for one in queued if isinstance(one, Notification))]
        try:
            seen = await see(work, asked, now)
        except (ValueError, LookupError, TypeError):  # an odd zone or status: the rest is told all the same
            log.exception("outlook.unreadable", appointment_id=str(appointment_id))
            return None
        visit, facts = seen[reminder.notification_id].visit, seen[reminder.notification_id].facts
        if visit is None:
            return None
        standing = {
            str(one.notification_id): Standing(
                one.asked, seen[one.notification_id].visit, seen[one.notification_id].facts
            )
            for one in asked[1:]
        }
        hold = await _hold(connection, visit.clinic_id) if self._sending.at(facts.clinic).holds else None
        return Outlook(now, self._sending, Standing(reminder.asked, visit, facts), standing, hold)


async def _hold(connection: Connection, clinic_id: str) -> Hold:
    row = await connection.fetchrow(statements.HELD, clinic_id)
    return Hold(row["clinic_id"], row["changed_at"], row["changed_by"]) if row else Hold()


def _a_reminder(appointment_id: UUID, now: datetime) -> Notification:
    """Return a reminder of the visit as if it were due, by an id that no message has."""
    return Notification(
        notification_id=UUID(int=0),
        kind=Kind.REMINDER,
        recipient=PATIENT,
        appointment_id=appointment_id,
        schedule_gen=0,
        reminder_id=None,
        caused_by="",
        state=NotificationState.QUEUED,
        lane=None,
        not_after=None,
        next_attempt_at=now,
    )


def _messages(rows: Sequence[asyncpg.Record], calls: Sequence[asyncpg.Record]) -> tuple[MessageFact, ...]:
    made: dict[UUID, list[CallFact]] = {row["notification_id"]: [] for row in rows}
    for call in calls:
        values = _plain(call)
        del values["notification_id"]
        made[call["notification_id"]].append(CallFact(**values))
    return tuple(readable(rows, lambda row: _message(row, made[row["notification_id"]])))


def _message(row: asyncpg.Record, calls: Sequence[CallFact]) -> MessageFact:
    values = _plain(row)
    lane = values.pop("lane")
    return MessageFact(
        **values
        | {
            "kind": Kind(row["kind"]),
            "state": NotificationState(row["state"]),
            "delivery_state": DeliveryState(row["delivery_state"]),
            "steps": tuple(_step(step) for step in row["steps"]),
        },
        channel=Channel(lane) if lane else None,
        calls=tuple(calls),
    )


def _tellers(rows: Sequence[asyncpg.Record]) -> tuple[TellerFact, ...]:
    def one(row: asyncpg.Record) -> TellerFact:
        state = NotificationState(row["state"])
        return TellerFact(**{**_plain(row), "kind": Kind(row["kind"]), "state": state})

    return tuple(readable(rows, one))


def _step(step: Mapping[str, Any]) -> StepFact:
    return StepFact(Channel(step["channel"]), str(step["reason"]))


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    """Return the row with ids as text and channels as the domain's."""
    values = {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
    return values | ({"channel": Channel(values["channel"])} if values.get("channel") else {})
