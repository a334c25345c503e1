"""Writing a load into Kafka, whole batches at a time, and counting what lies in a topic."""

from collections.abc import Iterable

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.partitioner import DefaultPartitioner

from bench.delivery.load import Record

_BATCH_BYTES = 262_144


async def produce(bootstrap: str, topic: str, partitions: int, records: Iterable[Record]) -> tuple[int, int]:
    """Write the records by their keys' partitions; returns how many, and the bytes of their values."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=_BATCH_BYTES, acks=1)
    await producer.start()
    place, every = DefaultPartitioner(), list(range(partitions))
    batches = [producer.create_batch() for _ in every]
    count = size = 0
    try:
        for record in records:
            partition = place(record.key, every, every)
            count, size = count + 1, size + len(record.value)
            if not _append(batches[partition], record):
                await (await producer.send_batch(batches[partition], topic, partition=partition))
                batches[partition] = producer.create_batch()
                _append(batches[partition], record)
        for partition, batch in enumerate(batches):
            if batch.record_count():
                await (await producer.send_batch(batch, topic, partition=partition))
    finally:
        await producer.stop()
    return count, size


def consumer(bootstrap: str, topic: str, partitions: int) -> AIOKafkaConsumer:
    """Return a bare consumer of the whole topic, with large fetches; not started."""
    made = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=4 << 20,
        fetch_max_bytes=32 << 20,
    )
    made.assign([TopicPartition(topic, partition) for partition in range(partitions)])
    return made


class Counter:
    """Counts the records in a topic by its end offsets (transaction markers included)."""

    def __init__(self, bootstrap: str, topic: str, partitions: int) -> None:
        self._places = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)

    async def __aenter__(self) -> "Counter":
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def count(self) -> int:
        """Return how many records were ever written."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(self._places)
        return sum(ends.values())


def _append(batch: object, record: Record) -> bool:
    """Append a record; False when the batch is full."""
    added = batch.append(  # type: ignore[attr-defined]  # aiokafka's builder is untyped
        key=record.key, value=record.value, timestamp=None, headers=list(record.headers)
    )
    return added is not None
