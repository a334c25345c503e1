"""Writing many records fast: batches are built before, and sent whole."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from bench.reminders.place import PARTITIONS

type Item = tuple[bytes, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers of a record."""

BATCH_BYTES = 262_144
TOO_LARGE = 1 << 20


def partition_of(key: bytes) -> int:
    """Return where a record of the source goes, as every producer of ours decides it (murmur2)."""
    return int((murmur2(key) & 0x7FFFFFFF) % PARTITIONS)


@asynccontextmanager
async def producer(bootstrap: str, transactional_id: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    """Give an idempotent producer with acks=all, of transactions if it has an id."""
    made = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=BATCH_BYTES,
        transactional_id=transactional_id,
    )  # fmt: skip
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def send(
    sender: AIOKafkaProducer, topic: str, partition: int, items: Iterable[Item]
) -> list[asyncio.Future[None]]:
    """Send records to one partition in order; returns the acknowledgements to wait for."""
    acknowledgements = []
    batch = sender.create_batch()
    for key, value, headers in items:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            acknowledgements.append(await sender.send_batch(batch, topic, partition=partition))
            batch = sender.create_batch()
            batch.append(timestamp=None, key=key, value=value, headers=headers)
    if batch.record_count():
        acknowledgements.append(await sender.send_batch(batch, topic, partition=partition))
    return acknowledgements


async def fill(bootstrap: str, topic: str, by_partition: Sequence[Sequence[Item]]) -> None:
    """Write all records, and return when all are acknowledged."""
    async with producer(bootstrap) as sender:

        async def one(partition: int) -> None:
            await asyncio.gather(*await send(sender, topic, partition, by_partition[partition]))

        await asyncio.gather(*map(one, range(len(by_partition))))


def spread(items: Iterable[Item]) -> list[list[Item]]:
    """Return the records by the partition of their key."""
    parts: list[list[Item]] = [[] for _ in range(PARTITIONS)]
    for item in items:
        parts[partition_of(item[0])].append(item)
    return parts
