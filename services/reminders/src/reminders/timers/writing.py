"""The one way in which events and rows become durable: events first, then rows, both awaited.

In this order a crash between the two repeats events (with the same ids), and loses nothing (fact 1).
"""

from collections.abc import Iterable, Mapping
from typing import Protocol

from reminders.timers.ports import Headers, Message
from reminders.timers.row import Row, pack


class Sender(Protocol):
    """What writes records: see `AwaitedProducer.send_all`."""

    async def send_all(
        self, topic: str, partition: int, items: Iterable[tuple[bytes | None, bytes | None, Headers]]
    ) -> None:
        """Send to one partition in order and wait for all acknowledgements."""
        ...


class Writer:
    """Writes to the topic of events and to the changelog, partition by partition.

    Args:
        sender: Of the Faust application.
        events: Topic of the events; co-partitioned with the source.
        changelog: Topic of the rows.
    """

    def __init__(self, sender: Sender, events: str, changelog: str) -> None:
        self._sender = sender
        self._events = events
        self._changelog = changelog

    async def write(self, partition: int, messages: Iterable[Message], rows: Mapping[bytes, Row | None]) -> None:
        """Make events durable, then rows (None is a tombstone). The caller holds the partition's lock."""
        items = [(message.key, message.value, message.headers) for message in messages]
        if items:
            await self._sender.send_all(self._events, partition, items)
        if rows:
            packed = [(key, None if row is None else pack(row), ()) for key, row in rows.items()]
            await self._sender.send_all(self._changelog, partition, packed)
