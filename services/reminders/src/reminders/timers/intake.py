"""From source records to rows: many at a time, acknowledged when they are durable."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from faust.types import Message as Record

from reminders.timers.partition import Partition
from reminders.timers.ports import Headers, Message, Outcome, Owner, Source
from reminders.timers.row import Row
from reminders.timers.writing import Writer

CHUNK = 1000
"""Records taken between two waits for the broker: larger ones gain nothing and delay the emitter."""

IN_HAND = 4000
"""Records waiting here before the stream has to wait."""


class Acknowledger(Protocol):
    """What takes acknowledgements: see `AwaitedConsumer`."""

    def acknowledge(self, message: Record) -> None:
        """Say that everything up to this record of its partition is durably done."""
        ...

    def release(self, message: Record) -> None:
        """Say that nothing was done with this record, and nobody is to wait for it."""
        ...


class Intake:
    """Takes records from the agent, and writes what they change.

    Args:
        owner: Knows what a record means.
        writer: Makes it durable.
        partitions: Returns the partitions that are live now.
        acknowledger: Told what became of each record.
        generation: Returns the group's generation; records of another one will be read again.
        count: Called with what became of the records.
    """

    def __init__(
        self,
        owner: Owner,
        writer: Writer,
        partitions: Callable[[], Mapping[int, Partition]],
        acknowledger: Acknowledger,
        generation: Callable[[], int],
        count: Callable[[Counter[Outcome]], None],
    ) -> None:
        self._owner = owner
        self._writer = writer
        self._partitions = partitions
        self._acknowledger = acknowledger
        self._generation = generation
        self._count = count
        self._waiting: asyncio.Queue[Record] = asyncio.Queue(IN_HAND)
        self._working = False

    @property
    def busy(self) -> bool:
        """Whether a record is in hand."""
        return self._working or not self._waiting.empty()

    async def take(self, record: Record) -> None:
        """Put a record in line; waits while too many are in hand."""
        await self._waiting.put(record)

    async def run(self) -> None:
        """Write what comes, for ever. Whatever goes wrong ends it, and must end the process (fact 2)."""
        while True:
            records = [await self._waiting.get()]
            self._working = True
            while len(records) < CHUNK and not self._waiting.empty():
                records.append(self._waiting.get_nowait())
            by_partition: dict[int, list[Record]] = defaultdict(list)
            for record in records:
                if record.generation_id == self._generation() and record.partition in self._partitions():
                    by_partition[record.partition].append(record)
                else:
                    self._acknowledger.release(record)  # revoked meanwhile: its next owner reads it again
            async with asyncio.TaskGroup() as group:
                for number, chunk in by_partition.items():
                    group.create_task(self._apply(number, self._partitions()[number], chunk))
            self._working = False

    async def _apply(self, number: int, part: Partition, records: Sequence[Record]) -> None:
        async with part.lock:
            counts: Counter[Outcome] = Counter()
            messages: list[Message] = []
            changed: dict[bytes, Row | None] = {}
            for record in records:
                source = Source(record.topic, number, record.offset, record.key, record.value, _headers(record))
                key = record.key or b""
                change = self._owner.on_record(source, changed.get(key) or part.get(key))
                messages.extend(change.messages)
                counts[change.outcome] += 1
                if change.row is not None:
                    changed[key] = change.row
            await self._writer.write(number, messages, changed)
            for key, row in changed.items():
                if row is not None:
                    part.put(key, row)
            for record in records:
                self._acknowledger.acknowledge(record)
            self._count(counts)


def _headers(record: Record) -> Headers:
    headers = record.headers or ()
    return tuple(headers.items() if isinstance(headers, Mapping) else headers)
