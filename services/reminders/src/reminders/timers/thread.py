"""The thread that reads for Faust's consumer: only what was committed, and each partition apart.

Read against faust-streaming 0.15.3: `AIOKafkaConsumerThread` hard-codes read uncommitted (fact 10), though the producer
of the source may use transactions, and a fetch that waits 1.5 s at the broker.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, cast

import aiokafka
from aiokafka import TopicPartition
from aiokafka.errors import ConsumerStoppedError
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Transport
from faust.types import TP
from mode.threads import ServiceThread, WorkerThread

from chassis.kafka import unpacked_size
from reminders.timers.source_reader import SourceReader

MOST_RECORDS = 1000
"""Of one fetch, where Faust names no number."""

FETCH_WAIT_MS = 100
"""Faust hard-codes 1,500. A fetch that waits at the broker holds up every other request of its connection,
such as the one for end offsets: asking for the lag took 1.2 s."""


class HasSourceReader(Protocol):
    """The application: see `TimersApp`."""

    source_reader: SourceReader


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
        consumer._client.send = unpacked_size.looking(
            consumer._client.send
        )  # marks a batch that would become too large
        return consumer

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109  # Faust's
        max_records: int | None = None,
    ) -> dict[TopicPartition, list[Any]]:
        if not self.consumer.flow_active:
            return {}
        if consumer._closed or consumer._fetcher._closed:
            raise ConsumerStoppedError
        reader = cast(HasSourceReader, self.consumer.app).source_reader
        return await reader.fetch(consumer, active_partitions, timeout or 0.0, max_records or MOST_RECORDS)

    async def call_thread(self, fun: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        """Call in the thread, and return what comes back.

        Raises:
            ConsumerNotStarted: The thread has ended: who asks while all stops is answered as before the start.
        """
        try:
            return await super().call_thread(fun, *args, **kwargs)
        except RuntimeError as error:
            if self.thread_loop.is_closed():
                raise ConsumerNotStarted("the consumer's thread has ended") from error
            raise

    async def check_group(self) -> None:
        """Take note of what went wrong in the group: aiokafka waits for that before it goes on."""
        await self.call_thread(self._check_group)

    async def _check_group(self) -> None:
        self._ensure_consumer()._coordinator.check_errors()
