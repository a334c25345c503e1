"""Faust's consumer, made to acknowledge what we say and to read only what was committed.

Read against faust-streaming 0.15.3:

* The compiled stream acknowledges by itself and never calls `Message.on_final_ack` (fact 13), and a
  plain agent acknowledges events whose work failed (fact 2). So streams here are `noack()`, and
  `acknowledge` is called after the durable write, partition by partition in order; what is committed
  is simply the offset after the last one.
* `AIOKafkaConsumerThread` hard-codes read uncommitted (fact 10): the producer of the source may use
  transactions.
* Faust keeps gaps between offsets in interval trees, which need the offsets before the gap to have
  been acknowledged its own way, and grow with every commit marker. Order per partition makes them
  needless.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import aiokafka
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from mode.threads import ServiceThread, WorkerThread
from mode.utils.futures import notify

from chassis.errors import Unavailable

LAG_TIMEOUT_S = 5.0

FETCH_WAIT_MS = 100
"""Faust hard-codes 1,500. A fetch that waits at the broker holds up every other request of its connection,
such as the one for end offsets: asking for the lag took 1.2 s."""


class EndingThread(WorkerThread):
    """A thread that does not keep a failed process alive (mode sets daemon to False)."""

    def __init__(self, service: ServiceThread, **kwargs: Any) -> None:
        super().__init__(service, **kwargs)
        self.daemon = True


class ReadCommittedThread(AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer."""

    Worker = EndingThread

    def _create_worker_consumer(self, transport: Transport) -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._isolation_level = "read_committed"  # read by `start`, which comes later
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        return consumer


class AwaitedConsumer(Consumer):
    """Commits, for each partition, the offset after the last record given to `acknowledge`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._next: dict[TP, int] = {}
        self._fetched: dict[TP, int] = {}
        self._asking: asyncio.Future[dict[int, int]] | None = None
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ReadCommittedThread:
        return ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    def acknowledge(self, message: Message) -> None:
        """Say that everything up to this record of its partition is durably done.

        Must be called in the partition's order. Takes effect at the next commit.
        """
        message.acked = True
        self._unacked_messages.discard(message)
        self._next[message.tp] = message.offset + 1
        notify(self._waiting_for_ack)

    def release(self, message: Message) -> None:
        """Say that nothing was done with this record: a revocation need not wait for it."""
        message.acked = True
        self._unacked_messages.discard(message)
        notify(self._waiting_for_ack)

    async def lag(self, topic: str) -> dict[int, int]:
        """Return partition → records of `topic` not yet acknowledged, for the partitions held.

        Commit markers are no records: a partition read to its end has no lag but what is in hand.

        Raises:
            Unavailable: Kafka does not answer now.
        """
        if self._asking is None or self._asking.done():  # one at a time: Faust's thread has two hands
            self._asking = asyncio.ensure_future(self._lag(topic))
        try:
            async with asyncio.timeout(LAG_TIMEOUT_S):
                return await asyncio.shield(self._asking)
        except (KafkaError, TimeoutError, ConsumerNotStarted) as error:
            raise Unavailable("KAFKA_UNAVAILABLE", f"lag: {type(error).__name__}") from error

    async def _lag(self, topic: str) -> dict[int, int]:
        held = {tp for tp in self.assignment() if tp.topic == topic}
        if not held:
            return {}
        ends = await self.highwaters(*held)
        positions = await self._thread.call_thread(self._positions, held)  # after the records fetched before it
        lag: dict[int, int] = {}
        for tp in held:
            done = max(self._next.get(tp, 0), self._committed_offset[tp] or 0)
            in_hand = max(0, self._fetched.get(tp, 0) - done)
            lag[tp.partition] = in_hand + max(0, ends[tp] - max(positions.get(tp, 0), done))
        return lag

    async def _positions(self, held: set[TP]) -> dict[TP, int]:
        """Return where reading stands, in the thread that reads; never waits."""
        subscription = self._thread._ensure_consumer()._subscription.subscription
        states = {tp: subscription.assignment.state_value(TopicPartition(tp.topic, tp.partition)) for tp in held}
        return {tp: state.position for tp, state in states.items() if state is not None and state.has_valid_position}

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  # Faust's
        records = await super()._getmany(active_partitions, timeout)
        for tp, batch in records.items():
            if batch:
                self._fetched[TP(tp.topic, tp.partition)] = batch[-1].offset + 1
        return records

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget what was acknowledged, after the last commit of it."""
        await super().on_partitions_revoked(revoked)
        for tp in revoked:
            self._next.pop(tp, None)
            self._fetched.pop(tp, None)

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        return (tp for tp in list(self._next) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._next.get(tp)

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Remember nothing: see the module."""
