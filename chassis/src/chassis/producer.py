"""A producer that does not wait for ever: batches per partition, acknowledgements by our own deadline."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced

from chassis import logs
from chassis.partitioner import partition_of

BATCH_BYTES = 256 * 1024
ABANDON_S = 1.0
"""How long an abandoned producer's task is waited for; it then ends by itself."""


@dataclass(frozen=True, slots=True)
class Record:
    """What goes to Kafka; `topic` without the installation's prefix, `partition` None for the one of the key."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int | None = None


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
        self._partitions: dict[str, int] = {}
        self._log = logs.get_logger()

    async def publish(self, records: Sequence[Record], deadline_s: float) -> list[bool]:
        """Send the records, in order per key, and say of each whether Kafka acknowledged it in time.

        An unacknowledged record leaves the later ones of its partition unsent: they are to be sent again, in order.
        After a failure or a missed deadline the producer is given up, the next call makes a new one.
        """
        done = [False] * len(records)
        try:
            async with asyncio.timeout(deadline_s):
                try:
                    await self._attempt(records, done)
                except ProducerFenced:  # another relay of this id had a round meanwhile: now it is our turn again
                    await self.abandon()
                    done[:] = [False] * len(records)
                    await self._attempt(records, done)
        except (KafkaError, OSError, TimeoutError) as error:
            self._log.warning("producer.abandoned", error_name=type(error).__name__, acknowledged=sum(done))
            await self.abandon()
        except BaseException:
            await self.abandon()
            raise
        return done

    async def _attempt(self, records: Sequence[Record], done: list[bool]) -> None:
        producer = await self._ready()
        if self._transactional_id is None:
            return await self._send(producer, records, done)
        # No `producer.transaction()`: its exit would wait for the broker after our deadline. What is left
        # open is aborted by the broker when the next producer of this id begins.
        tried = [False] * len(records)
        await producer.begin_transaction()
        await self._send(producer, records, tried)
        await producer.commit_transaction()
        done[:] = tried
        return None

    async def _send(self, producer: AIOKafkaProducer, records: Sequence[Record], done: list[bool]) -> None:
        by_partition: dict[tuple[str, int], list[int]] = defaultdict(list)
        for index, record in enumerate(records):
            count = self._partitions.get(record.topic) or await self._count(producer, record.topic)
            partition = partition_of(record.key or b"", count) if record.partition is None else record.partition
            by_partition[record.topic, partition].append(index)
        sending = [
            asyncio.ensure_future(self._send_partition(producer, *place, records, indexes, done))
            for place, indexes in by_partition.items()
        ]
        try:
            await asyncio.gather(*sending)
        finally:
            for task in sending:
                task.cancel()
            await asyncio.wait(sending)

    async def _send_partition(
        self,
        producer: AIOKafkaProducer,
        topic: str,
        partition: int,
        records: Sequence[Record],
        indexes: list[int],
        done: list[bool],
    ) -> None:
        """Send one partition's records batch by batch: the next only when the one before is acknowledged."""
        first = 0
        while first < len(indexes):
            batch, last = producer.create_batch(), first
            for index in indexes[first:]:
                record = records[index]
                held = batch.append(key=record.key, value=record.value, timestamp=None, headers=record.headers)
                if held is None:  # full; the first record always fits
                    break
                last += 1
            await (await producer.send_batch(batch, self._prefix + topic, partition=partition))
            for index in indexes[first:last]:
                done[index] = True
            first = last

    async def _count(self, producer: AIOKafkaProducer, topic: str) -> int:
        self._partitions[topic] = len(await producer.partitions_for(self._prefix + topic))
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
        sender: asyncio.Task[None] | None = producer._sender.sender_task  # aiokafka 0.14: no public way out
        with contextlib.suppress(KafkaError, OSError):
            await producer.client.close()  # fails what is in flight
        if sender is not None:
            sender.cancel()
            await asyncio.wait({sender}, timeout=ABANDON_S)
            if sender.done() and not sender.cancelled():
                sender.exception()  # seen

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
