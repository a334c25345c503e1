"""A producer that does not wait for ever: batches per partition, acknowledgements by our own deadline."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

BATCH_BYTES = 256 * 1024
_partition_of = DefaultPartitioner()  # murmur2, as Java's (faust.md fact 11)


@dataclass(frozen=True, slots=True)
class Record:
    """What goes to Kafka; `topic` without the installation's prefix."""

    topic: str
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Publisher:
    """An idempotent producer that is abandoned and made anew after a failure or a missed deadline.

    A transactional one fences every earlier producer of the same id, so that a thawed process cannot
    append an old version to a compacted topic.
    """

    def __init__(self, bootstrap: str, prefix: str = "", transactional_id: str | None = None) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._transactional_id = None if transactional_id is None else prefix + transactional_id
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, list[int]] = {}

    async def publish(self, records: Sequence[Record], deadline_s: float) -> list[bool]:
        """Send the records, in order per key, and say of each whether Kafka acknowledged it in time.

        An unacknowledged record leaves the later ones of its partition unacknowledged too: they are to
        be sent again, in order.
        After a failure or a missed deadline the producer is given up, the next call makes a new one.
        """
        done = [False] * len(records)
        try:
            async with asyncio.timeout(deadline_s):
                producer = await self._ready()
                if self._transactional_id is None:
                    await self._send(producer, records, done)
                else:
                    await self._send_transaction(producer, records, done)
        except (KafkaError, OSError, TimeoutError):
            await self.abandon()
        return done

    async def _send_transaction(self, producer: AIOKafkaProducer, records: Sequence[Record], done: list[bool]) -> None:
        tried = [False] * len(records)
        async with producer.transaction():
            await self._send(producer, records, tried)
            if not all(tried):  # a failed batch does not abort by itself
                raise KafkaError("batch not acknowledged")
        done[:] = tried

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Record], done: list[bool]) -> None:
        by_partition: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, record in enumerate(records):
            numbers = await self._numbers(producer, record.topic)
            by_partition[record.topic, _partition_of(record.key, numbers, numbers)].append(index)
        await asyncio.gather(
            *(self._send_partition(producer, *place, records, indexes, done) for place, indexes in by_partition.items())
        )

    async def _send_partition(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        partition: int,
        records: Sequence[Record],
        indexes: list[int],
        done: list[bool],
    ) -> None:
        sent: list[tuple[asyncio.Future[object], list[int]]] = []
        batch, held = producer.create_batch(), list[int]()
        name = self._prefix + topic
        for index in indexes:
            record = records[index]
            given = {"key": record.key, "value": record.value, "timestamp": None, "headers": record.headers}
            if batch.append(**given) is None:
                sent.append((await producer.send_batch(batch, name, partition=partition), held))
                batch, held = producer.create_batch(), []
                if batch.append(**given) is None:
                    raise KafkaError(f"an event on {topic} is larger than {BATCH_BYTES} bytes")
            held.append(index)
        sent.append((await producer.send_batch(batch, name, partition=partition), held))
        for future, held in sent:
            await future
            for index in held:
                done[index] = True

    async def _numbers(self, producer: AIOKafkaProducer, topic: str) -> list[int]:
        if topic not in self._partitions:
            self._partitions[topic] = sorted(await producer.partitions_for(self._prefix + topic))
        return self._partitions[topic]

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                max_batch_size=BATCH_BYTES,
                max_request_size=4 * 1024 * 1024,
                transactional_id=self._transactional_id,
                transaction_timeout_ms=10_000,
                request_timeout_ms=10_000,
            )
            self._producer = producer
            await producer.start()
        return self._producer

    async def abandon(self) -> None:
        """Give the producer up without waiting for the broker: its client is closed, `stop()` would wait."""
        producer, self._producer = self._producer, None
        self._partitions.clear()
        if producer is None:
            return
        producer._closed = True
        sender = producer._sender._sender_task  # aiokafka 0.14: no public way out
        if sender is not None:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, KafkaError):
                await sender
        await producer.client.close()

    async def close(self) -> None:
        """Stop in order, or after 2 s by force."""
        if self._producer is None:
            return
        try:
            async with asyncio.timeout(2):
                await self._producer.stop()
                self._producer = None
        except (KafkaError, OSError, TimeoutError):
            await self.abandon()
