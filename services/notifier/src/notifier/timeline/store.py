"""What the ledger holds of one appointment, as facts for its timeline."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from chassis.postgres.database import Pool
from notifier.ledger.domain.states import NotificationState
from notifier.ledger.store.rows import readable
from notifier.timeline import statements
from notifier.timeline.domain.sent_messages import (
    ActFact,
    CallFact,
    MessageFact,
    OptOutFact,
    ReceiptFact,
    ReplyFact,
    StepFact,
)
from notifier.timeline.handle import OwnFacts
from schemas.notifications import Channel, DeliveryState, Kind


async def read_own(pool: Pool, appointment_id: UUID) -> OwnFacts:
    """Return all facts of one appointment, as one instant saw them."""
    async with pool.transaction(isolation="repeatable_read", readonly=True) as connection:
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
            acts=tuple(ActFact(**_plain(row)) for row in await connection.fetch(statements.ACTS, ids)),
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


def _step(step: Mapping[str, Any]) -> StepFact:
    return StepFact(Channel(step["channel"]), str(step["reason"]))


def _plain(row: asyncpg.Record) -> dict[str, Any]:
    """Return the row with ids as text and channels as the domain's."""
    values = {name: str(value) if isinstance(value, UUID) else value for name, value in row.items()}
    return values | ({"channel": Channel(values["channel"])} if values.get("channel") else {})
