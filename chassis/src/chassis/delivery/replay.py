"""Replaying a dead letter: the same decode and apply, in one transaction with its settlement."""

from collections.abc import Sequence
from typing import Any

from aiokafka import ConsumerRecord

from chassis.delivery import dead_letter
from chassis.delivery.subscription import Subscription, decode_all
from chassis.postgres.after_commit import said_after_commit
from chassis.postgres.database import Pool
from chassis.process.errors import RejectedEvent


async def replay(pool: Pool, subscriptions: Sequence[Subscription[Any]], prefix: str, letter_id: int) -> str:
    """Apply an open dead letter and settle it; return what became of it: `Subscription.done`, repeat or stale.

    Raises:
        RejectedEvent: It was not open, nothing subscribes to its topic now, or it is refused again; it
            stays as it was.
    """
    with said_after_commit():
        async with pool.transaction() as connection:
            letter = await dead_letter.claim(connection, letter_id)
            subscription = next((s for s in subscriptions if prefix + s.topic.name == letter.topic), None)
            if subscription is None:
                raise RejectedEvent("NO_SUBSCRIPTION", f"nothing here consumes {letter.topic}")
            decoded = decode_all(subscription, [_record(letter)])
            if decoded.dead:
                raise RejectedEvent(decoded.dead[0].code, decoded.dead[0].message)
            outcome = await subscription.apply(connection, decoded.events)
            if outcome.rejected:
                raise outcome.rejected[0][1]
    return "repeat" if outcome.repeat else "stale" if outcome.stale else subscription.done


def _record(letter: dead_letter.DeadLetter) -> ConsumerRecord[bytes, bytes]:
    recorded_ms = 0 if letter.recorded_at is None else int(letter.recorded_at.timestamp() * 1000)
    return ConsumerRecord(
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        timestamp=recorded_ms,
        timestamp_type=0,
        key=letter.key,
        value=letter.value,
        checksum=None,
        serialized_key_size=len(letter.key or b""),
        serialized_value_size=len(letter.value or b""),
        headers=letter.headers,
    )
