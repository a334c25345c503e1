"""The one way in which events and rows become durable: together, in one transaction of the partition's own."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from reminders.timers import terms
from reminders.timers.partition import Partition
from reminders.timers.ports import Message

SLICE = 500
"""Rows kept between two turns of the event loop: about a millisecond."""


class Writer(Protocol):
    """What writes to a partition: see `FencedProducer.write`."""

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        """Write records by topic, all or none; return the last offset of each topic."""


class Transactions:
    """Writes to the topic of events and to the changelog, then keeps the rows."""

    def __init__(self, writer: Callable[[int], Writer], events: str, changelog: str, wake: Callable[[], None]) -> None:
        self._writer = writer
        self._events = events
        self._changelog = changelog
        self._wake = wake

    async def write(
        self, number: int, part: Partition, messages: Sequence[Message], rows: Mapping[bytes, bytes | None]
    ) -> None:
        """Make events and rows durable (None is a tombstone), then keep the rows. The caller holds the lock."""
        records: dict[str, Sequence[Message]] = {}
        if messages:
            records[self._events] = messages
        kept: list[Message] = [(terms.key_of(n), content, ()) for n, content in part.terms.unwritten.items()]
        kept.extend((key, packed, ()) for key, packed in rows.items())
        if kept:
            records[self._changelog] = kept
        if not records:
            return
        offsets = await self._writer(number).write(records)
        part.terms.written()
        if self._changelog in offsets:
            part.position = offsets[self._changelog] + 1
        part.written.update(offsets)
        for place, (key, packed) in enumerate(rows.items(), 1):
            if packed is None:
                part.drop(key)
            else:
                part.put(key, packed)
            if place % SLICE == 0:
                await asyncio.sleep(0)
        self._wake()
