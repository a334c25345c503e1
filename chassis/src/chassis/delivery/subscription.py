"""What a service says of one topic it consumes: how to read a record, and how to apply many."""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import ConsumerRecord

from chassis.delivery.dead_letter import INTERNAL, DeadLetter
from chassis.postgres.database import Connection
from chassis.process.errors import RejectedEvent, Unavailable, UndecodableEvent
from schemas.topics import Topic
from schemas.wire import Undecodable, check_names


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a batch's events, by their places among those given: whoever is not named took effect.

    So every event is counted once (I3), for its own partition, with whatever others it was applied.

    Attributes:
        repeat: Places of those that had taken effect before.
        stale: Places of those for which a newer version was there.
        rejected: (place, why) of those for the dead letters.
    """

    repeat: Sequence[int] = ()
    stale: Sequence[int] = ()
    rejected: Sequence[tuple[int, RejectedEvent]] = ()


@dataclass(frozen=True, slots=True)
class Subscription[E]:
    """A topic and its two functions.

    Attributes:
        decode: Record → event; raises `schemas.wire.Undecodable` or `RejectedEvent`. Whatever else it raises makes
            that record a dead letter too, with the code INTERNAL.
        apply: (connection, events) → `Applied`, inside the batch's transaction: set-based, rows sorted by
            key, safe to repeat. It may raise `RejectedEvent` for a single event.
        own: False for topics that others write: their bad records never open the breaker.
        done: What `dead-letters replay` says of an event that took effect.
    """

    topic: Topic
    decode: Callable[[ConsumerRecord[bytes, bytes]], E]
    apply: Callable[[Connection, Sequence[E]], Awaitable[Applied]]
    own: bool = True
    done: str = "applied"


@dataclass(slots=True)
class Decoded:
    """A partition's records after decoding: the events, the places of their records, and the dead letters."""

    events: list[Any]
    records: list[ConsumerRecord[bytes, bytes]]
    dead: list[DeadLetter]


def decode_all(subscription: Subscription[Any], records: Sequence[ConsumerRecord[bytes, bytes]]) -> Decoded:
    """Decode a batch; whatever decoding one record raises makes that record a dead letter, and the rest goes on.

    Raises:
        Unavailable: What any record needs to be read cannot be had now, such as a clock to go by: no record's fault.
    """
    decode = subscription.decode
    if not any(not name.isascii() for record in records for name, _ in record.headers):
        with contextlib.suppress(Exception):  # whose record it is, is found out below
            return Decoded([decode(record) for record in records], list(records), [])
    decoded = Decoded([], [], [])
    for record in records:
        refusal = _decode_one(subscription, record, decoded.events)
        if refusal is None:
            decoded.records.append(record)
        else:
            decoded.dead.append(letter(record, refusal))
    return decoded


def _decode_one(
    subscription: Subscription[Any], record: ConsumerRecord[bytes, bytes], events: list[Any]
) -> RejectedEvent | None:
    """Append the record's event, or return why there is none."""
    try:
        check_names(record.headers)
        events.append(subscription.decode(record))
    except Undecodable as error:
        return UndecodableEvent(error.code, str(error))
    except RejectedEvent as error:
        return error
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001  # reading it is all that was done: it is this record's fault
        return RejectedEvent(INTERNAL, type(error).__name__)
    return None


def letter(record: ConsumerRecord[bytes, bytes], error: RejectedEvent) -> DeadLetter:
    """Return the dead letter of a record refused with `error`."""
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=tuple(record.headers),
        code=error.code,
        message=error.message,
        place=error.place,
        event_id=error.event_id,
    )
