"""The batch consumer: each partition's records form one batch and one transaction (design §3)."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from chassis import kafka, logs
from chassis.assignment import places
from chassis.batch import Batch
from chassis.breaker import Breaker
from chassis.clock import Clock
from chassis.errors import Unavailable
from chassis.joint import Joint
from chassis.metrics import Metrics
from chassis.partition import BATCH_RECORDS, Partition
from chassis.settings import ServiceSettings
from chassis.subscription import Applied, Subscription

__all__ = ["Applied", "BatchConsumer", "Subscription"]

CONCURRENCY = 4
"""Partition batches in flight: the client decodes one while PostgreSQL works on the others."""
POLL_S = 0.2
GATHER_MS = 20
"""At 200 events a second four share a fetch and a transaction."""
BACKOFF_CAP_S = 5.0
KEEPING_EVERY_S = 2.0
"""Between updates of the lag metric and of Kafka's committed offset, which only feeds lag tools."""


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
        gather_ms: How long the broker may gather what trickles in, for batches of several partitions; 0 for neither.
        session_timeout_ms: After so long without a sign of life the group gives our partitions to others.
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
        gather_ms: int = GATHER_MS,
        session_timeout_ms: int = kafka.SESSION_TIMEOUT_MS,
    ) -> None:
        self.name = name
        self._settings = settings
        self._pool = pool
        self._subscriptions = {settings.topic_name(s.topic): s for s in subscriptions}
        self._clock = clock
        self._metrics = metrics
        self._session_timeout_ms = session_timeout_ms
        self._breaker = Breaker()
        self._batch = Batch(name, pool, metrics, self._breaker, on_commit)
        self._slots = asyncio.Semaphore(CONCURRENCY)
        joint = self._subscriptions.items() if gather_ms else ()
        self._joint = {name: Joint(s, self._batch, self._slots) for name, s in joint}
        self._pace = kafka.Pace(gather_ms)
        self._log = logs.get_logger()
        self._partitions: dict[TopicPartition, Partition] = {}
        self._epoch = 0
        self._joined = False
        self._changed = asyncio.Event()
        self._waiting: str | None = "joining the consumer group"
        self._failures = 0
        self._kept_at = 0.0
        self._consumer: kafka.Consumer | None = None

    def reason(self) -> str | None:
        """Why this consumer is not ready, or None."""
        troubles = (p.trouble for p in self._partitions.values() if p.trouble)
        return self._breaker.reason() or self._waiting or next(troubles, None)

    @property
    def lag(self) -> dict[TopicPartition, int]:
        """Records behind, per owned partition, as of the last fetch."""
        consumer = self._consumer
        if consumer is None:
            return {}
        return {tp: _behind(p, *kafka.progress(consumer, tp)) for tp, p in self._partitions.items()}

    async def idle(self) -> bool:
        """Whether all owned partitions are read and applied to their very end, which Kafka is asked for.

        While a transaction of their writer is open, or committed and not yet to be read, they are not.

        Raises:
            Unavailable: Kafka does not answer.
        """
        consumer, partitions = self._consumer, dict(self._partitions)
        if consumer is None or not self._settled(consumer) or self.reason() is not None:
            return False
        ends = await kafka.written(consumer, list(partitions)) if partitions else {}
        return self._partitions == partitions and all(
            p.sought and not p.busy and _behind(p, kafka.progress(consumer, tp)[0], ends[tp]) == 0
            for tp, p in partitions.items()
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; the batches in flight are finished and committed.

        Raises:
            Misconfigured: Position and broker do not belong together; the message has the way out.
        """
        stopping = asyncio.create_task(_then(stop, self._changed.set))
        try:
            self._consumer = await self._started(stop)
            while not stop.is_set():
                await self._round(stop)
        finally:
            stopping.cancel()
            await self._leave()

    async def _started(self, stop: asyncio.Event) -> kafka.Consumer | None:
        while not stop.is_set():
            consumer = kafka.new_consumer(
                self._settings.kafka_bootstrap_servers, self._settings.group(self.name), self._session_timeout_ms
            )
            try:
                await kafka.in_time(consumer.start())
                consumer.subscribe(list(self._subscriptions), listener=_Listener(self))
                return consumer
            except Unavailable as error:
                await consumer.stop()
                await self._failed(error, stop)
        return None

    async def _round(self, stop: asyncio.Event) -> None:
        consumer = self._consumer
        assert consumer is not None  # noqa: S101  # set by run
        fault = next((p.fault for p in self._partitions.values() if p.fault), None)
        if fault is not None:
            raise fault
        try:
            await self._seek_new(consumer)
            await self._fetch(consumer)
            await self._keep(consumer)
        except (Unavailable, KafkaError, OSError) as error:
            await self._failed(error, stop)
        else:
            self._failures = 0
            self._waiting = None if self._settled(consumer) else "joining the consumer group"

    async def _seek_new(self, consumer: kafka.Consumer) -> None:
        """Seek every partition that is not sought yet to where PostgreSQL stands; until then nothing of it is taken."""
        epoch = self._epoch
        new = sorted(
            tp for tp in consumer.assignment() if (p := self._partitions.get(tp)) is None or not (p.sought or p.busy)
        )
        if not new or not self._joined:
            return
        found = await places(self._pool, self.name, consumer, self._settings.kafka_bootstrap_servers, new)
        if epoch != self._epoch:  # assigned anew meanwhile: what was read may be old
            return
        for tp, (position, first) in found.items():
            consumer.seek(tp, max(position, first))
            shared = (self._batch, self._breaker, self._slots, self._changed.set, self._joint.get(tp.topic))
            partition = self._partitions.get(tp) or Partition(tp, self._subscriptions[tp.topic], *shared)
            partition.begin_at(position)
            self._partitions[tp] = partition
        self._log.info("consumer.assigned", consumer=self.name, partitions=len(new))

    def _settled(self, consumer: kafka.Consumer) -> bool:
        """Say whether we have our share of the group, and each partition of it was sought."""
        return self._joined and self._partitions.keys() == consumer.assignment()

    async def _fetch(self, consumer: kafka.Consumer) -> None:
        """Take what is there of the partitions that are sought and have room, until something else is to be done."""
        self._changed.clear()
        hungry = [] if self._breaker.is_open else [tp for tp, p in self._partitions.items() if p.hungry]
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait())]
        if hungry:
            waits.append(asyncio.ensure_future(self._take(consumer, hungry)))
        try:
            await asyncio.wait(waits, timeout=2 * POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()  # aiokafka takes records only in the step in which it returns: none is lost
            await asyncio.wait(waits)
        if hungry and not waits[-1].cancelled():
            waits[-1].result()

    async def _take(self, consumer: kafka.Consumer, hungry: Sequence[TopicPartition]) -> None:
        """Fetch, and hand out in the same step: nothing is ever on its way unseen, which `idle` relies on."""
        epoch = self._epoch
        fetching = consumer.getmany(*hungry, timeout_ms=int(POLL_S * 1000), max_records=2 * BATCH_RECORDS)
        try:
            records = await self._metrics.measure(fetching, "fetch")
        except (NoOffsetForPartitionError, IllegalStateError):
            return  # from before our seek, when Kafka was asked for a committed offset; or revoked meanwhile
        except OffsetOutOfRangeError as error:
            self._out_of_range(error.args[0] if error.args else {})
            return
        except KafkaError:
            for partition in self._partitions.values():  # aiokafka's position may have moved without records
                partition.distrust()
            raise
        self._pace.after_fetch(consumer, found=bool(records))
        if epoch == self._epoch:  # else they may be from wherever the new assignment began
            for tp, batch in records.items():
                self._partitions[tp].give(batch)

    def _out_of_range(self, places: Any) -> None:
        """Look again at the partitions that stand where the broker has nothing; the bounds are checked then."""
        for tp in places if isinstance(places, dict) else list(self._partitions):
            if tp in self._partitions:
                self._log.warning("consumer.out_of_range", topic_name=tp.topic, partition=tp.partition)
                self._partitions[tp].distrust()

    async def _failed(self, error: Exception, stop: asyncio.Event) -> None:
        self._failures += 1
        code = error.code if isinstance(error, Unavailable) else type(error).__name__
        self._waiting = f"waiting: {code}"
        self._metrics.retries.labels(code).inc()
        if self._failures & (self._failures - 1) == 0:  # the 1st, 2nd, 4th, 8th …
            self._log.warning("consumer.unavailable", consumer=self.name, code=code, failures=self._failures)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(0.1 * 2.0 ** min(self._failures, 10), BACKOFF_CAP_S)):
                await stop.wait()

    async def _keep(self, consumer: kafka.Consumer) -> None:
        """Now and then tell the metrics, and Kafka for its lag tools, where we stand."""
        if time.monotonic() - self._kept_at < KEEPING_EVERY_S:
            return
        self._kept_at = time.monotonic()
        for tp, behind in self.lag.items():
            self._metrics.lag.labels(tp.topic, tp.partition).set(behind)
        held = {tp: p.held for tp, p in self._partitions.items() if p.held > 0 and tp in consumer.assignment()}
        if held:
            with contextlib.suppress(KafkaError, IllegalStateError, TimeoutError):
                async with asyncio.timeout(1):
                    await consumer.commit(held)

    async def _leave(self) -> None:
        consumer = self._consumer
        try:
            await self._end_partitions()
        finally:
            if consumer is not None:
                with contextlib.suppress(KafkaError, OSError):
                    self._kept_at = 0.0
                    async with asyncio.timeout(5):
                        await self._keep(consumer)
                        await consumer.stop()

    async def _end_partitions(self) -> None:
        await asyncio.gather(*(p.end() for p in self._partitions.values()))

    async def revoked(self) -> None:
        """Give the partitions up: first wait for the batches in flight, so that their commit is the last word."""
        self._epoch += 1
        self._joined = False
        self._changed.set()
        try:
            await self._end_partitions()
        finally:
            self._partitions.clear()

    def assigned(self) -> None:
        """Begin anew: every partition owned is sought before anything of it is taken."""
        self._epoch += 1
        self._joined = True
        self._changed.set()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka swallows a listener's exceptions: this one does no I/O, and what must not fail is the loop's."""

    def __init__(self, consumer: BatchConsumer) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._consumer.assigned()


def _behind(partition: Partition, position: int, end: int | None) -> int:
    """Return the end offset less the larger of our position and, when nothing is in flight, the fetcher's."""
    held = partition.held if partition.busy or not partition.sought else max(partition.held, position)
    return 0 if end is None else max(0, end - held)


async def _then(event: asyncio.Event, call: Callable[[], None]) -> None:
    await event.wait()
    call()
