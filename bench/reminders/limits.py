"""What this machine allows: the same bytes through bare aiokafka, plain and in transactions."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import cycle, islice

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.delivery.limits import Rate, Stopwatch
from bench.reminders.place import PARTITIONS, Broker
from bench.reminders.writing import Item, producer, send

BATCH = 4000
IN_HAND = 2
"""Fetched batches whose acknowledgements are waited for while the next are fetched."""


@dataclass(slots=True)
class Same:
    """Bytes as the worker wrote them, to be written again: some of each kind, used in turn.

    Attributes:
        events: Records of `reminders`.
        rows: Records of the changelog.
    """

    events: Sequence[Item]
    rows: Sequence[Item]
    _events: Iterator[Item] = field(init=False)
    _rows: Iterator[Item] = field(init=False)

    def __post_init__(self) -> None:
        self._events, self._rows = cycle(self.events), cycle(self.rows)

    def take(self, count: int) -> tuple[list[Item], list[Item]]:
        """Return so many of both."""
        return list(islice(self._events, count)), list(islice(self._rows, count))


@dataclass(frozen=True, slots=True)
class Targets:
    """Where a limit writes: two topics with as many partitions as ours."""

    events: str
    changelog: str


@asynccontextmanager
async def reading(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a bare consumer of committed records of the whole topic, with large fetches."""
    made = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    made.assign([TopicPartition(topic, partition) for partition in range(PARTITIONS)])
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def some(bootstrap: str, topic: str, count: int, wanted: bytes | None = None) -> list[Item]:
    """Return `count` records of a topic, of one `ce_type` if it is named; fewer if there are no more."""
    found: list[Item] = []
    async with reading(bootstrap, topic) as reader:
        while len(found) < count and (batches := await reader.getmany(timeout_ms=2000)):
            records = [record for batch in batches.values() for record in batch]
            found += [
                (record.key, record.value, list(record.headers))
                for record in records
                if wanted is None or dict(record.headers).get("ce_type") == wanted
            ]
    return found[:count]


async def read_bare(broker: Broker, topic: str, records: int) -> Rate:
    """Read so many committed records as fast as they come."""
    watch, seen = Stopwatch(), 0
    async with reading(broker.bootstrap, topic) as reader:
        while seen < records:
            batches = await reader.getmany(timeout_ms=1000, max_records=BATCH)
            watch.start()
            seen += sum(map(len, batches.values()))
        return watch.rate(seen)


async def through(broker: Broker, source: str, records: int, same: Same, to: Targets) -> Rate:
    """Read the source and write an event and a row for each record; idempotent, acks=all, no transactions."""
    watch, seen, waiting = Stopwatch(), 0, list[list[asyncio.Future[None]]]()
    async with reading(broker.bootstrap, source) as reader, producer(broker.bootstrap) as sender:
        while seen < records:
            batches = await reader.getmany(timeout_ms=1000, max_records=BATCH)
            watch.start()
            sent: list[asyncio.Future[None]] = []
            for tp, batch in batches.items():
                events, rows = same.take(len(batch))
                seen += len(batch)
                sent += await send(sender, to.events, tp.partition, events)
                sent += await send(sender, to.changelog, tp.partition, rows)
            waiting.append(sent)
            if len(waiting) > IN_HAND:
                await asyncio.gather(*waiting.pop(0))
        await asyncio.gather(*(one for sent in waiting for one in sent))
        return watch.rate(seen)


async def through_transactions(broker: Broker, source: str, records: int, same: Same, to: Targets) -> Rate:
    """The same with a transaction for each batch of a partition, twelve producers side by side."""
    watch, seen = Stopwatch(), 0
    arrived = [asyncio.Queue[int](IN_HAND) for _ in range(PARTITIONS)]
    async with reading(broker.bootstrap, source) as reader, _producers(broker, to.events) as senders:

        async def write(partition: int) -> None:
            while count := await arrived[partition].get():
                await _transaction(senders[partition], partition, same.take(count), to)

        async with asyncio.TaskGroup() as group:
            for partition in range(PARTITIONS):
                group.create_task(write(partition))
            while seen < records:
                batches = await reader.getmany(timeout_ms=1000, max_records=BATCH)
                watch.start()
                for tp, batch in batches.items():
                    seen += len(batch)
                    await arrived[tp.partition].put(len(batch))
            for queue in arrived:
                await queue.put(0)
        return watch.rate(seen)


async def burst(broker: Broker, events: Sequence[Item], to: Targets) -> list[float]:
    """Write all events at once; return after how many seconds each was acknowledged."""
    times: list[float] = []
    async with producer(broker.bootstrap) as sender:
        parts = _parts(events)
        began = time.perf_counter()

        async def one(partition: int) -> None:
            for start in range(0, len(parts[partition]), 500):
                chunk = parts[partition][start : start + 500]
                for acknowledged in await send(sender, to.events, partition, chunk):
                    acknowledged.add_done_callback(lambda _: None)
                waiting.append((acknowledged, len(chunk)))

        waiting: list[tuple[asyncio.Future[None], int]] = []
        await asyncio.gather(*map(one, range(PARTITIONS)))
        for acknowledged, count in waiting:
            await acknowledged
            times += [time.perf_counter() - began] * count
    return times


async def burst_transactions(broker: Broker, events: Sequence[Item], rows: Sequence[Item], to: Targets) -> list[float]:
    """Write all events and as many rows at once, one transaction a partition; the times until each was committed."""
    times: list[float] = []
    async with _producers(broker, to.events) as senders:
        parts, row_parts = _parts(events), _parts(list(islice(cycle(rows), len(events))))
        began = time.perf_counter()

        async def one(partition: int) -> None:
            await _transaction(senders[partition], partition, (parts[partition], row_parts[partition]), to)
            times.extend([time.perf_counter() - began] * len(parts[partition]))

        await asyncio.gather(*map(one, range(PARTITIONS)))
    return times


async def _transaction(
    sender: AIOKafkaProducer, partition: int, content: tuple[Sequence[Item], Sequence[Item]], to: Targets
) -> None:
    async with sender.transaction():
        await send(sender, to.events, partition, content[0])
        await send(sender, to.changelog, partition, content[1])


@asynccontextmanager
async def _producers(broker: Broker, name: str) -> AsyncIterator[list[AIOKafkaProducer]]:
    """Give twelve producers with transactions, each used once already: the first takes longer."""
    async with AsyncExitStack() as stack:
        made = [
            await stack.enter_async_context(producer(broker.bootstrap, f"limit-{name}-{partition}"))
            for partition in range(PARTITIONS)
        ]
        for sender in made:
            async with sender.transaction():
                pass
        yield made


def _parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    return [items[number::PARTITIONS] for number in range(PARTITIONS)]
