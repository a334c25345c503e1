"""What was fetched, partition by partition: what cannot be read of one never holds up the others (aiokafka 0.14).

aiokafka's `getmany` raises what reading any one partition raises, says not which, and lets go of what it had already
read of the others. Here each partition is read apart, and what cannot be read is told with its place.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from chassis.kafka.broker import Consumer
from chassis.kafka.unpacked_size import MOST_BYTES

type Record = ConsumerRecord[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Unread:
    """What stopped the reading of one partition.

    Attributes:
        offset: The first that was not read; None if the broker refused to give any.
    """

    offset: int | None
    error: Exception


@dataclass(slots=True)
class Fetched:
    """What came of some partitions: records, or why there are none. A partition of which nothing came is in neither."""

    records: dict[TopicPartition, list[Record]] = field(default_factory=dict)
    unread: dict[TopicPartition, Unread] = field(default_factory=dict)


def size_of(record: Record) -> int:
    """Return how many bytes key, value and headers of a record hold."""
    size = len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += len(name) + len(value or b"")
    return size


async def fetch(consumer: Consumer, partitions: Collection[TopicPartition], timeout_s: float, most: int) -> Fetched:
    """Return what is there of these partitions, waiting for it if nothing is.

    To be called even with no partitions: only so aiokafka goes on after an error while it joined the group.

    Args:
        partitions: Of which records are wanted; the others keep what was fetched of them.
        most: Records in all, at most. No more are taken either once they hold `MOST_BYTES` together.
    """
    coordinator, fetcher = consumer._coordinator, consumer._fetcher
    coordinator.check_errors()
    found = _taken(consumer, partitions, most)
    if found.records or found.unread:
        return found
    waiter = fetcher._create_fetch_waiter()
    try:
        await asyncio.wait([waiter], timeout=timeout_s)
        if waiter.done():
            waiter.result()  # the error of the group, if it is one
    finally:
        waiter.cancel()
    return _taken(consumer, partitions, most)


class _Room:
    """What may still be taken: so many records, and bytes until `MOST_BYTES` are reached."""

    def __init__(self, records: int) -> None:
        self._records, self._bytes = records, MOST_BYTES

    @property
    def full(self) -> bool:
        return self._records <= 0 or self._bytes <= 0

    def take(self, record: Record) -> None:
        self._records -= 1
        self._bytes -= size_of(record)


def _taken(consumer: Consumer, partitions: Collection[TopicPartition], most: int) -> Fetched:
    found, fetcher, subscription, room = Fetched(), consumer._fetcher, consumer._subscription, _Room(most)
    if subscription.reassignment_in_progress:
        return found
    with subscription.fetch_context():  # by which aiokafka knows that its user lives
        for tp in [tp for tp in fetcher._records if tp in partitions]:
            records, unread = _drain(fetcher, tp, room)
            if records:
                found.records[tp] = records
            elif unread is not None:
                found.unread[tp] = unread
            if room.full:
                break
    return found


def _drain(fetcher: Any, tp: TopicPartition, room: _Room) -> tuple[list[Record], Unread | None]:
    """Take what was fetched of one partition, up to what cannot be read: the next fetch begins there."""
    result, records, unread = fetcher._records[tp], list[Record](), None
    error = getattr(result, "_error", None)
    if error is not None:
        unread = Unread(None, error)
    elif result.check_assignment(tp):
        reading = result._partition_records
        try:
            while not room.full and (record := next(reading, None)) is not None:
                records.append(record)
                room.take(record)
        except Exception as raised:  # noqa: BLE001  # whatever reading raises is this partition's alone
            unread = Unread(reading.next_fetch_offset, raised)
        result._update_position()
    if not room.full:
        del fetcher._records[tp]
        fetcher._notify(fetcher._wait_consume_future)
    return records, unread
