"""Outgoing events are written in the transaction of their cause (design §3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from chassis.kafka.partitioner import partition_of
from chassis.outbox.statements import ENQUEUE
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent
from schemas.envelope import Envelope
from schemas.topics import Topic

MAX_VALUE_BYTES = 900_000
"""Kafka takes 1,048,588 bytes with headers and framing, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One event to publish. `value` None is a tombstone."""

    topic: Topic
    key: str
    envelope: Envelope
    value: bytes | None


async def enqueue(connection: Connection, events: Sequence[Outgoing]) -> None:
    """Add events to the outbox, in the order given, in the caller's transaction.

    Events of one entity are to be enqueued under its row lock, so that their ids are in order.

    Raises:
        RejectedEvent: EVENT_TOO_LARGE: Kafka would never take it, and it would hold up all that follow.
    """
    if any(e.value is not None and len(e.value) > MAX_VALUE_BYTES for e in events):
        raise RejectedEvent("EVENT_TOO_LARGE", f"an outgoing event is larger than {MAX_VALUE_BYTES} bytes")
    if events:
        await connection.execute(
            ENQUEUE,
            [e.topic.name for e in events],
            [partition_of(e.key.encode(), e.topic.partitions) for e in events],
            [e.key.encode() for e in events],
            [orjson.dumps([(name, value.decode()) for name, value in e.envelope.headers()]) for e in events],
            [e.value for e in events],
        )
