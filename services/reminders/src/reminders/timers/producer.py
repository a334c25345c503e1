"""Writing to one partition under a transactional id of its own: who lost the partition cannot write to it.

A worker that was frozen past its session still believes that it owns its partitions. If it were the last
to write a row, compaction would keep that stale row and revive a cancelled visit. So the new owner
initialises the partition's transactional id before it recovers: from then on the broker refuses the old
one (`ProducerFenced`), and what he had open is aborted (fact 17; traps: design §5).

Events and rows of a batch are one transaction: both are there or none. Measured by `bench/reminders`.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from chassis.postgres.clock_check import ClockCheck
from reminders.timers.ports import Message

ACK_TIMEOUT_S = 12.0
"""A frozen broker gives no error. Past this, when the broker has given the transaction up too, the process ends and
starts again from what is committed."""

TRANSACTION_TIMEOUT_MS = 10_000
"""After so long the broker aborts what a dead worker left open, which holds up every reader of the partition."""

BATCH_BYTES = 262_144

LOG_APPEND_TIME = 1
"""Kafka's timestamp type of a record that the broker stamped."""


class FencedProducer:
    """The one writer of a partition's events and rows.

    Args:
        transactional_id: One for each partition, the same for every worker.
        clocks: Told of the broker's time, where a topic's records are stamped with it.
    """

    def __init__(self, bootstrap: str, transactional_id: str, partition: int, clocks: ClockCheck | None = None) -> None:
        self._bootstrap = bootstrap
        self._transactional_id = transactional_id
        self._partition = partition
        self._clocks = clocks
        self._producer: AIOKafkaProducer | None = None
        self._used_at = time.monotonic()

    @property
    def idle_s(self) -> float:
        """Seconds of machine time since the last transaction."""
        return time.monotonic() - self._used_at

    async def start(self) -> None:
        """Fence whoever wrote here before, and abort what he left open."""
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            transactional_id=self._transactional_id,
            transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
            acks="all",
            max_batch_size=BATCH_BYTES,
        )
        await self._producer.start()

    async def stop(self) -> None:
        """Let go, without waiting for a broker that does not answer."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        producer._closed = True
        _look_at_failures(producer)
        sender = producer._sender.sender_task  # aiokafka 0.14: no public way out that does not wait for the broker
        with contextlib.suppress(KafkaError, OSError):
            await producer.client.close()
        if sender is not None:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def write(self, records: Mapping[str, Sequence[Message]]) -> dict[str, int]:
        """Write records to this partition of some topics in one transaction; return when it is committed.

        Every future is awaited before the commit: a batch that failed does not abort by itself.

        Returns:
            The last offset written, by topic.

        Raises:
            KafkaError, TimeoutError: Nothing, or everything, is there. `ProducerFenced`: the partition
                has another owner. The caller must end, and leave it to recovery.
        """
        producer = self._producer
        assert producer is not None  # noqa: S101  # started by whoever made it
        began = None if self._clocks is None else self._clocks.clock.unstepped()
        async with asyncio.timeout(ACK_TIMEOUT_S):
            await producer.begin_transaction()
            sent = [(topic, await self._send(producer, topic, items)) for topic, items in records.items()]
            offsets = {}
            for topic, futures in sent:
                for future in futures:
                    written = await future
                    offsets[topic] = written.offset
                    if began is not None and self._clocks is not None and written.timestamp_type == LOG_APPEND_TIME:
                        there = datetime.fromtimestamp(written.timestamp / 1000, UTC)
                        self._clocks.note(began, there, self._clocks.clock.unstepped())
            await producer.commit_transaction()
        self._used_at = time.monotonic()
        return offsets

    async def _send(self, producer: AIOKafkaProducer, topic: str, items: Sequence[Message]) -> list[Any]:
        futures, done = [], 0
        while done < len(items):
            batch = producer.create_batch()
            taken = _fill(batch, islice(items, done, None))
            if not taken:
                raise ValueError(f"a record of {len(items[done][1] or b'')} bytes does not fit into a batch")
            future = await producer.send_batch(batch, topic, partition=self._partition)
            future.add_done_callback(_look_at)  # the first failure ends the write, before the others are awaited
            futures.append(future)
            done += taken
            if done < len(items):
                await asyncio.sleep(0)  # 5,000 events and their rows are 20 ms of packing
        return futures


def _look_at(future: asyncio.Future[Any]) -> None:
    """Take a future's error, so that asyncio does not report it as one that nobody saw."""
    if future.done() and not future.cancelled():
        future.exception()


def _look_at_failures(producer: AIOKafkaProducer) -> None:
    """Take what failed inside aiokafka when the producer was refused: `write` has raised it already."""
    accumulator = producer._message_accumulator
    queued = [batch for batches in accumulator._batches.values() for batch in batches]
    for batch in (*queued, *accumulator._pending_batches):
        _look_at(batch._drain_waiter)
    if (transaction := producer._txn_manager._transaction_waiter) is not None:
        _look_at(transaction)


def _fill(batch: Any, items: Iterable[Message]) -> int:
    """Put records into aiokafka's batch until one does not fit; return how many.

    What `BatchBuilder.append` does for each record, without its call: a fifth of the price of a record.
    """
    append, taken = batch._builder.append, 0
    for key, value, headers in items:
        if append(taken, None, key, value, list(headers)) is None:
            break
        taken += 1
    batch._relative_offset = taken
    return taken
