"""The batch consumer: what one fetch brings of a topic is one batch and one transaction (design §3, decision 0031)."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import TopicPartition

from chassis.delivery.applier import Applying
from chassis.delivery.batch import Batch
from chassis.delivery.membership import Membership
from chassis.delivery.subscription import Applied, Subscription
from chassis.delivery.unreadable_limit import Breaker
from chassis.kafka import broker
from chassis.postgres.database import Pool
from chassis.process import logs
from chassis.process.backoff import Backoff
from chassis.process.clock import Clock
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics
from chassis.process.settings import ServiceSettings
from chassis.process.stall import Stuck

__all__ = ["Applied", "BatchConsumer", "Subscription"]

GATHER_MS = 20
"""At 200 events a second four share a fetch and a transaction."""
WATCH_EVERY_S = 5.0
"""Between looks whether everything gets on; Kafka is asked for the ends then."""


class BatchConsumer:
    """Consumes topics into PostgreSQL with exactly-once effect.

    Args:
        name: Consumer group without the installation's prefix; also the key of its positions.
        pool: The service's pool; a connection for each topic, and two more.
        gather_ms: How long the broker may gather what trickles in; 0 for not at all.
        session_timeout_ms: After so long without a sign of life the group gives our partitions to others.
        new_client: Makes the client, given Kafka's address, the group and the session timeout.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceSettings,
        pool: Pool,
        subscriptions: Sequence[Subscription[Any]],
        clock: Clock,
        metrics: Metrics,
        on_commit: Callable[[], None] = lambda: None,
        gather_ms: int = GATHER_MS,
        session_timeout_ms: int = broker.SESSION_TIMEOUT_MS,
        stuck: Stuck | None = None,
        watch_every_s: float = WATCH_EVERY_S,
        new_client: Callable[[str, str, int], broker.Consumer] = broker.new_consumer,
    ) -> None:
        self.name = name
        self._settings = settings
        self._pool = pool
        self._clock = clock
        self._metrics = metrics
        self._session_timeout_ms = session_timeout_ms
        self._breaker = Breaker()
        batch = Batch(name, pool, metrics, self._breaker, on_commit)
        self._applying = {
            settings.topic_name(s.topic): Applying(s, batch, self._breaker, settings.service) for s in subscriptions
        }
        self._pace = broker.Pace(gather_ms)
        self._log = logs.get_logger()
        self._stuck = stuck or Stuck()
        self._watch_every_s = watch_every_s
        self._new_client = new_client
        self._waiting: str | None = "joining the consumer group"
        self._backoff = Backoff()
        self._membership: Membership | None = None

    def reason(self) -> str | None:
        """Why this consumer is not ready, or None; every partition that stands still, with the way out."""
        partitions = {} if self._membership is None else self._membership.partitions
        halted = [p.halt.text(tp, self._settings.service) for tp, p in sorted(partitions.items()) if p.halt is not None]
        troubles = (p.trouble for p in partitions.values() if p.trouble)
        return (
            self._breaker.reason(self._settings.service) or self._waiting or "; ".join(halted) or next(troubles, None)
        )

    def dead(self) -> str | None:
        """Why only a restart of the process may help, or None; not while an error says what is wrong."""
        return None if self._backoff.failures else self._stuck.reason

    @property
    def lag(self) -> dict[TopicPartition, int]:
        """Records behind, per owned partition, as of the last fetch."""
        return {} if self._membership is None else self._membership.lag

    async def idle(self) -> bool:
        """Whether all owned partitions are read and applied to their very end, which Kafka is asked for.

        While a transaction of their writer is open, or committed and not yet to be read, they are not.
        """
        membership = self._membership
        return membership is not None and self.reason() is None and await membership.idle()

    async def run(self, stop: asyncio.Event) -> None:
        """Consume until `stop`; the batches in flight are finished and committed. It may be run again after a failure.

        Raises:
            Misconfigured: Kafka is another cluster than the one that the positions are of; the message has the way out.
        """
        stopping = asyncio.create_task(_then(stop, self._wake))
        try:
            while not stop.is_set():
                self._membership = await self._started(stop)
                if self._membership is not None:
                    await self._belong(self._membership, stop)
        finally:
            stopping.cancel()

    async def _started(self, stop: asyncio.Event) -> Membership | None:
        self._waiting = "joining the consumer group"
        while not stop.is_set():
            bootstrap, group = self._settings.kafka_bootstrap_servers, self._settings.group(self.name)
            client = self._new_client(bootstrap, group, self._session_timeout_ms)
            try:
                await broker.in_time(client.start())
            except Unavailable as error:
                await broker.stop(client)
                await self._failed(error, stop)
                continue
            membership = Membership(
                self.name, client, bootstrap, self._pool, self._metrics, self._pace, self._is_closed, self._applying
            )
            membership.join()
            return membership
        return None

    async def _belong(self, membership: Membership, stop: asyncio.Event) -> None:
        """Do rounds until `stop`, or until they lead nowhere any more."""
        rounds = asyncio.create_task(self._rounds(membership, stop), name=f"rounds of {self.name}")
        try:
            while not rounds.done():
                await asyncio.wait({rounds}, timeout=self._watch_every_s)
                if not rounds.done() and not stop.is_set() and await self._leads_nowhere(membership):
                    self._log.error("consumer.stuck", consumer=self.name, reason_text=self.reason())
                    return
            rounds.result()
        finally:
            rounds.cancel()
            await asyncio.wait({rounds}, timeout=broker.STOP_S)
            await membership.leave()

    async def _rounds(self, membership: Membership, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await membership.round()
            except Exception as error:
                if not isinstance(error, Unavailable) and not broker.is_away(error):
                    raise
                await self._failed(error, stop)
            else:
                self._backoff.succeeded()
                self._waiting = None if membership.settled else "joining the consumer group"

    async def _leads_nowhere(self, membership: Membership) -> bool:
        """Say whether a new client is due: something stands still although Kafka and PostgreSQL are there."""
        waiting = {} if self._breaker.is_open else await membership.waiting()
        if not self._stuck.look(waiting):
            return False
        try:
            await broker.cluster_id(self._settings.kafka_bootstrap_servers)
            await self._pool.fetchval("SELECT 1")
        except Unavailable:
            self._stuck.excuse()
            return False
        with contextlib.suppress(Unavailable):
            if await membership.refused(waiting):
                self._stuck.excuse()
                return False
        return True

    def _is_closed(self) -> bool:
        return self._breaker.is_open

    def _wake(self) -> None:
        if self._membership is not None:
            self._membership.wake()

    async def _failed(self, error: Exception, stop: asyncio.Event) -> None:
        tells = self._backoff.failed()
        code = error.code if isinstance(error, Unavailable) else type(error).__name__
        self._waiting = f"waiting: {code}"
        self._metrics.retries.labels(code).inc()
        if tells:
            self._log.warning("consumer.unavailable", consumer=self.name, code=code, failures=self._backoff.failures)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._backoff.pause_s()):
                await stop.wait()


async def _then(event: asyncio.Event, call: Callable[[], None]) -> None:
    await event.wait()
    call()
