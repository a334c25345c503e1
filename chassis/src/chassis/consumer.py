"""The batch consumer: each partition's records form one batch and one transaction (design §3)."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from chassis import logs, offsets
from chassis.batch import Batch
from chassis.breaker import Breaker
from chassis.clock import Clock
from chassis.database import unavailable
from chassis.errors import Unavailable
from chassis.metrics import Metrics
from chassis.settings import ServiceSettings
from chassis.subscription import Applied, Subscription

__all__ = ["Applied", "BatchConsumer", "Subscription"]

MAX_RECORDS = 8_000
"""Records of one poll over all partitions; more gains nothing (prototypes: batches of 500 to 4,000 are alike)."""
CONCURRENCY = 4
"""Partition batches in flight: the client decodes one while PostgreSQL works on the others."""
SESSION_TIMEOUT_MS = 10_000
BACKOFF_CAP_S = 5.0
KAFKA_COMMIT_EVERY_S = 2.0
"""Kafka's committed offset only feeds lag tools; the position that counts is PostgreSQL's."""


class BatchConsumer:
    """Consumes topics into PostgreSQL with exactly-once effect.

    Args:
        name: Consumer group without the installation's prefix; also the key of its positions.
        settings: Where Kafka is.
        pool: The service's pool; at least `CONCURRENCY` + 2 connections.
        subscriptions: One per topic.
        clock: Domain time, for the services' own functions.
        metrics: Lag, batches, outcomes.
        on_commit: Called after each commit, to wake a relay.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        pool: asyncpg.Pool,
        subscriptions: Sequence[Subscription[Any]],
        clock: Clock,
        metrics: Metrics,
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._pool = pool
        self._subscriptions = {settings.topic_name(s.topic): s for s in subscriptions}
        self._clock = clock
        self._metrics = metrics
        self._breaker = Breaker()
        self._batch = Batch(name, pool, metrics, self._breaker, on_commit)
        self._log = logs.get_logger()
        self._positions: dict[TopicPartition, int] = {}
        self._busy: set[TopicPartition] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._waiting: str | None = "joining the consumer group"
        self._retry_at = 0.0
        self._failures = 0
        self._committed_at = 0.0
        self._consumer: AIOKafkaConsumer | None = None

    def reason(self) -> str | None:
        """Why this consumer is not ready, or None."""
        return self._breaker.reason() or self._waiting

    @property
    def lag(self) -> dict[TopicPartition, int]:
        """Records behind, per owned partition, as of the last fetch."""
        return {tp: self._lag(tp, self._end(tp)) for tp in self._positions}

    async def idle(self) -> bool:
        """Whether all owned partitions are read and applied to their very end."""
        if self._consumer is None or self._busy or not self._positions or self.reason() is not None:
            return False
        partitions = list(self._positions)
        try:
            ends = await self._consumer.end_offsets(partitions)
        except KafkaError as error:
            raise Unavailable("KAFKA_UNAVAILABLE", f"Kafka: {type(error).__name__}") from error
        return not self._busy and all(tp in self._positions and self._lag(tp, end) == 0 for tp, end in ends.items())

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; the batches in flight are finished and committed.

        Raises:
            Misconfigured: Position and broker do not belong together; the message has the way out.
        """
        self._consumer = await self._started(stop)
        if self._consumer is None:
            return
        try:
            while not stop.is_set():
                await self._round()
        finally:
            self._positions.clear()
            with contextlib.suppress(KafkaError, TimeoutError, OSError):
                async with asyncio.timeout(5):
                    await self._consumer.stop()

    async def _started(self, stop: asyncio.Event) -> AIOKafkaConsumer | None:
        while not stop.is_set():
            consumer = self._new_consumer()
            try:
                await consumer.start()
                await offsets.check_cluster(self._pool, await _cluster_id(self._settings.kafka_bootstrap_servers))
                consumer.subscribe(list(self._subscriptions), listener=_Listener(self))
                return consumer
            except (KafkaError, OSError, Unavailable) as error:
                self._waiting = f"not started: {type(error).__name__}"
                await consumer.stop()
                await self._back_off(stop)
        return None

    def _new_consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap_servers,
            group_id=self._settings.group(self.name),
            enable_auto_commit=False,
            auto_offset_reset="none",  # never jump silently over records that retention removed
            isolation_level="read_committed",
            max_partition_fetch_bytes=4 << 20,
            fetch_max_bytes=32 << 20,
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=SESSION_TIMEOUT_MS // 5,
            rebalance_timeout_ms=15_000,
        )

    async def _round(self) -> None:
        assert self._consumer is not None  # noqa: S101  # set by run
        delay = self._retry_at - time.monotonic()
        if self._breaker.is_open or delay > 0:
            await asyncio.sleep(min(max(delay, 0.05), 0.2))
            return
        try:
            await self._seek_new()
            records = await self._fetch()
            if records:
                await self._apply(records)
            self._failures, self._waiting = 0, None if self._positions else self._waiting
            await self._commit_to_kafka()
        except (Unavailable, KafkaError, OSError) as error:
            self._failed(error)

    async def _seek_new(self) -> None:
        """Seek every partition assigned and not yet sought to PostgreSQL's offset; until then none is fetched."""
        assert self._consumer is not None  # noqa: S101
        assigned = self._consumer.assignment()
        new = sorted(tp for tp in assigned if tp not in self._positions)
        if not new:
            return
        found = await offsets.read(self._pool, self.name, new)
        first = await self._consumer.beginning_offsets(new)
        end = await self._consumer.end_offsets(new)
        for tp in new:
            offsets.check_bounds(tp, found[tp], first[tp], end[tp])
            if tp not in self._consumer.assignment():
                continue
            position = max(found[tp], first[tp]) if found[tp] == 0 else found[tp]
            self._consumer.seek(tp, position)
            self._positions[tp] = found[tp]
        self._log.info("consumer.assigned", consumer=self.name, partitions=len(new))

    async def _fetch(self) -> dict[TopicPartition, list[Any]]:
        assert self._consumer is not None  # noqa: S101
        ready = [tp for tp in self._positions if tp in self._consumer.assignment()]
        if not ready:
            await asyncio.sleep(0.02)
            return {}
        started = time.thread_time()
        try:
            records: dict[TopicPartition, list[Any]] = await self._consumer.getmany(
                *ready, timeout_ms=200, max_records=MAX_RECORDS
            )
        except NoOffsetForPartitionError:  # from before our seek: Kafka knows no committed offset yet
            return {}
        except OffsetOutOfRangeError as error:
            for tp in ready:
                self._positions.pop(tp, None)  # sought anew, where the bounds are checked
            self._log.warning("consumer.out_of_range", partitions=len(error.args))
            return {}
        except IllegalStateError:  # revoked between the look and the call
            return {}
        if records:
            self._metrics.stage_cpu_seconds.labels("fetch").inc(time.thread_time() - started)
        return records

    async def _apply(self, records: dict[TopicPartition, list[Any]]) -> None:
        """Apply the partitions' batches, a few at once; raise the first failure after all have ended."""
        gate = asyncio.Semaphore(CONCURRENCY)

        async def one(tp: TopicPartition, batch: list[Any]) -> None:
            async with gate:
                held = self._positions.get(tp)
                if held is None:  # revoked since the fetch
                    return
                await self._apply_partition(tp, [r for r in batch if r.offset >= held], held)

        self._busy.update(records)
        self._quiet.clear()
        try:
            results = await asyncio.gather(*(one(tp, batch) for tp, batch in records.items()), return_exceptions=True)
        finally:
            self._busy.clear()
            self._quiet.set()
        errors = [r for r in results if isinstance(r, BaseException)]
        for error in sorted(errors, key=lambda e: isinstance(e, Unavailable)):
            raise error

    async def _apply_partition(self, tp: TopicPartition, records: list[Any], held: int) -> None:
        assert self._consumer is not None  # noqa: S101

        def moved(position: int) -> None:
            if tp in self._positions:
                self._positions[tp] = position

        try:
            with unavailable():
                await self._batch.apply(tp, self._subscriptions[tp.topic], records, held, moved)
        except offsets.Overtaken:
            self._log.warning("consumer.overtaken", topic_name=tp.topic, partition=tp.partition, held=held)
            self._positions.pop(tp, None)  # read and sought anew
        except BaseException:
            if tp in self._positions and tp in self._consumer.assignment():
                self._consumer.seek(tp, self._positions[tp])
            raise
        self._metrics.lag.labels(tp.topic, tp.partition).set(self._lag(tp, self._end(tp)))

    def _failed(self, error: Exception) -> None:
        self._failures += 1
        wait = min(0.1 * 2**self._failures, BACKOFF_CAP_S) * random.uniform(0.5, 1)  # noqa: S311  # jitter
        self._retry_at = time.monotonic() + wait
        self._waiting = f"waiting: {type(error).__name__}"
        code = error.code if isinstance(error, Unavailable) else type(error).__name__
        self._metrics.retries.labels(self.name, code).inc()
        if self._failures in {1, 2, 4, 8} or self._failures % 16 == 0:
            self._log.warning("consumer.unavailable", consumer=self.name, code=code, failures=self._failures)

    async def _back_off(self, stop: asyncio.Event) -> None:
        self._failures += 1
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(0.1 * 2**self._failures, BACKOFF_CAP_S)):
                await stop.wait()

    async def _commit_to_kafka(self) -> None:
        now = time.monotonic()
        if now - self._committed_at < KAFKA_COMMIT_EVERY_S or self._consumer is None:
            return
        self._committed_at = now
        owned = self._consumer.assignment()
        positions = {tp: position for tp, position in self._positions.items() if tp in owned and position > 0}
        if positions:
            with contextlib.suppress(KafkaError, TimeoutError, IllegalStateError):
                async with asyncio.timeout(1):
                    await self._consumer.commit(positions)

    async def revoked(self) -> None:
        """Give the partitions up: first wait for the batches in flight, so that their commit is the last word."""
        await self._quiet.wait()
        self._positions.clear()

    def assigned(self) -> None:
        """Forget every position: all owned partitions are sought anew before they are fetched."""
        self._positions.clear()

    def _end(self, tp: TopicPartition) -> int | None:
        if self._consumer is None:
            return None
        try:
            end: int | None = self._consumer.last_stable_offset(tp) or self._consumer.highwater(tp)
            return end
        except IllegalStateError:
            return None

    def _lag(self, tp: TopicPartition, end: int | None) -> int:
        """End offset less the larger of our position and the fetcher's: commit markers are never delivered."""
        if end is None:
            return 0
        position = self._positions.get(tp, 0)
        if self._consumer is not None and tp not in self._busy:
            with contextlib.suppress(IllegalStateError, AssertionError):
                state = self._consumer._subscription.subscription.assignment.state_value(tp)
                if state is not None and state.has_valid_position:
                    position = max(position, state.position)
        return max(0, end - position)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka is untyped
    """aiokafka swallows a listener's exceptions: this one does no I/O that could fail."""

    def __init__(self, consumer: BatchConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.assigned()


async def _cluster_id(bootstrap: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()
