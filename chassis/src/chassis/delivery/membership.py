"""One membership in the consumer group, from joining to leaving: its partitions, and the rounds that feed them."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from itertools import groupby
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from chassis.delivery.applier import Applying
from chassis.delivery.partition import Partition
from chassis.delivery.start_positions import places
from chassis.kafka import broker, fetch
from chassis.kafka.halt import Halt
from chassis.kafka.rereading import Rereading
from chassis.kafka.salvage import Salvaged
from chassis.postgres.database import Pool
from chassis.postgres.portion import BATCH_RECORDS
from chassis.process import logs
from chassis.process.errors import RejectedEvent, Unavailable
from chassis.process.metrics import Metrics

POLL_S = 0.2
KEEPING_EVERY_S = 2.0
"""Between updates of the lag metric and of Kafka's committed offset, which only feeds lag tools."""


class Membership:
    """Feeds the partitions that the group gives to one aiokafka client.

    Args:
        applying: Topic → what applies its records.
    """

    def __init__(
        self,
        name: str,
        consumer: broker.Consumer,
        bootstrap: str,
        pool: Pool,
        metrics: Metrics,
        pace: broker.Pace,
        closed: Callable[[], bool],
        applying: Mapping[str, Applying],
    ) -> None:
        self._name = name
        self._consumer = consumer
        self._bootstrap = bootstrap
        self._pool = pool
        self._metrics = metrics
        self._pace = pace
        self._closed = closed
        self._applying = applying
        self._log = logs.get_logger()
        self._partitions: dict[TopicPartition, Partition] = {}
        self._epoch = 0
        self._joined = False
        self._changed = asyncio.Event()
        self._rereading = Rereading()
        self._kept_at = 0.0

    def join(self) -> None:
        """Ask the group for a share of the topics."""
        self._consumer.subscribe(list(self._applying), listener=_Listener(self))

    def wake(self) -> None:
        """Let the round under way look what is to be done."""
        self._changed.set()

    @property
    def partitions(self) -> dict[TopicPartition, Partition]:
        """Return the partitions owned now."""
        return dict(self._partitions)

    @property
    def settled(self) -> bool:
        """Whether we have our share of the group, and each partition of it was looked up."""
        return self._joined and self._partitions.keys() == self._consumer.assignment()

    @property
    def lag(self) -> dict[TopicPartition, int]:
        """Records behind, per partition, as of the last fetch."""
        return {tp: _behind(p, *broker.progress(self._consumer, tp)) for tp, p in self._partitions.items()}

    async def idle(self) -> bool:
        """Whether all partitions are read and applied to their very end, which Kafka is asked for."""
        if not self.settled:
            return False
        partitions = self.partitions
        ends = await broker.written(self._consumer, list(partitions)) if partitions else {}
        return self._partitions == partitions and all(
            p.sought and not p.busy and _behind(p, broker.progress(self._consumer, tp)[0], ends[tp]) == 0
            for tp, p in partitions.items()
        )

    async def waiting(self) -> dict[Hashable, Hashable]:
        """Return what ought to get on by itself: what it is, and how far it is.

        Partitions that have stopped with a reason, which is shown, are left out.
        """
        if not self.settled:
            return {"group": self._epoch}
        partitions = {tp: p for tp, p in self._partitions.items() if p.halt is None and p.trouble is None}
        try:
            ends = await broker.ends(self._consumer, list(partitions)) if partitions else {}
        except Unavailable:
            return {"client": "no answer"}
        places = {tp: broker.progress(self._consumer, tp)[0] for tp in partitions}
        return {tp: (p.held, places[tp]) for tp, p in partitions.items() if _behind(p, places[tp], ends[tp])}

    async def round(self) -> None:
        """Look up what is to be looked up, and take what is there.

        Raises:
            Unavailable, KafkaError: Kafka or PostgreSQL, all of it, not one partition.
            Misconfigured: It is another cluster than the one whose positions these are.
        """
        await self._seek_unsure()
        unread = await self._fetch()
        for tp, what in unread.items():
            self._read_again(tp, what)
        for tp, found in (await self._rereading.ended()).items():
            self._settle(tp, found)
        await self._keep()

    async def _seek_unsure(self) -> None:
        """Seek every partition that is to be looked up to where PostgreSQL stands; before, nothing is taken."""
        epoch, held = self._epoch, self._partitions
        new = sorted(tp for tp in self._consumer.assignment() if (p := held.get(tp)) is None or p.unsure)
        if not new or not self._joined:
            return
        found = await places(self._pool, self._name, self._consumer, self._bootstrap, new)
        if epoch != self._epoch:  # assigned anew meanwhile: what was read may be old
            return
        for tp, place in found.items():
            partition = held.get(tp) or Partition(tp, self._changed.set)
            held[tp] = partition
            if place.halt is not None:
                self._hold(partition, place.halt)
                continue
            self._consumer.seek(tp, max(place.position, place.first))
            self._consumer.resume(tp)
            partition.begin_at(place.position)
        self._log.info("consumer.assigned", consumer=self._name, partitions=len(new))

    def _hold(self, partition: Partition, halt: Halt) -> None:
        self._consumer.pause(partition.tp)
        partition.stand_still(halt)

    async def _fetch(self) -> dict[TopicPartition, fetch.Unread]:
        """Take what is there of the partitions that have room, until something else is to be done."""
        self._changed.clear()
        hungry = [tp for tp, p in self._partitions.items() if p.hungry and not self._applying[tp.topic].busy
                  and tp not in self._rereading.under_way]  # fmt: skip
        taking = asyncio.ensure_future(self._take([] if self._closed() else hungry))
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._changed.wait()), taking]
        try:
            await asyncio.wait(waits, timeout=2 * POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()  # records are taken only in the step in which `fetch` returns: none is lost
            await asyncio.wait(waits)
        return {} if taking.cancelled() else taking.result()

    async def _take(self, hungry: Sequence[TopicPartition]) -> dict[TopicPartition, fetch.Unread]:
        """Fetch, and begin to apply in the same step: nothing is ever on its way unseen, which `idle` relies on."""
        epoch = self._epoch
        fetched = await self._metrics.measure(fetch.fetch(self._consumer, hungry, POLL_S, BATCH_RECORDS), "fetch")
        self._pace.after_fetch(self._consumer, found=bool(fetched.records))
        if epoch != self._epoch:  # they may be from wherever the new assignment began
            return {}
        for topic, some in groupby(sorted(fetched.records), key=lambda tp: tp.topic):
            self._applying[topic].begin({self._partitions[tp]: fetched.records[tp] for tp in some})
        return fetched.unread

    def _read_again(self, tp: TopicPartition, unread: fetch.Unread) -> None:
        """Look the place up again, or have the batch read again, beside the rounds of the others."""
        partition, error = self._partitions.get(tp), unread.error
        if partition is None or isinstance(error, NoOffsetForPartitionError | IllegalStateError):
            return  # from before our seek, when Kafka was asked for a committed offset; or revoked meanwhile
        if isinstance(error, OffsetOutOfRangeError):
            self._log.warning("consumer.out_of_range", topic_name=tp.topic, partition=tp.partition)
            partition.distrust()
            return
        self._rereading.begin(self._consumer, tp, unread, partition.held)

    def _settle(self, tp: TopicPartition, found: Salvaged | Halt) -> None:
        """Go on with what was read after all, or let this partition alone stand still."""
        partition = self._partitions.get(tp)
        if partition is None or not partition.sought:
            return
        if isinstance(found, Halt):
            self._hold(partition, found)
        else:
            self._consumer.seek(tp, found.end)
            self._applying[tp.topic].begin({partition: found.records})

    async def refused(self, waiting: Collection[Hashable]) -> bool:
        """Say whether Kafka itself refuses all that is waiting; if so those partitions stop, with that reason.

        After some answers of a broker, such as that its log is corrupt, aiokafka asks for ever and raises nothing.
        """
        explained = 0
        for tp, partition in self.partitions.items():
            if tp in waiting:
                place = max(partition.held, broker.progress(self._consumer, tp)[0])
                try:
                    await broker.raw_batch(self._consumer, tp, place)
                except RejectedEvent as refusal:
                    self._hold(partition, Halt(place, refusal.message))
                    explained += 1
        return explained == len(waiting)

    async def _keep(self) -> None:
        """Now and then tell the metrics, and Kafka for its lag tools, where we stand."""
        if time.monotonic() - self._kept_at < KEEPING_EVERY_S:
            return
        self._kept_at = time.monotonic()
        for tp, behind in self.lag.items():
            self._metrics.lag.labels(tp.topic, tp.partition).set(behind)
        assigned = self._consumer.assignment()
        held = {tp: p.held for tp, p in self._partitions.items() if p.held > 0 and tp in assigned}
        if held:
            with contextlib.suppress(KafkaError, IllegalStateError, TimeoutError):
                async with asyncio.timeout(1):
                    await self._consumer.commit(held)

    async def leave(self) -> None:
        """Finish the batches in flight, commit our positions to Kafka, and leave the group: it is idle no more."""
        self._rereading.forget()
        try:
            await self._end_partitions()
        finally:
            self._joined = False
            self._kept_at = 0.0
            with contextlib.suppress(KafkaError, OSError):
                await self._keep()
            await broker.stop(self._consumer)

    async def _end_partitions(self) -> None:
        await asyncio.gather(*(p.end() for p in self._partitions.values()))

    async def revoked(self) -> None:
        """Give the partitions up: first wait for the batches in flight, so that their commit is the last word."""
        self._epoch += 1
        self._joined = False
        self._rereading.forget()
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

    def __init__(self, membership: Membership) -> None:
        self._membership = membership

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._membership.revoked()

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        self._membership.assigned()


def _behind(partition: Partition, position: int, end: int | None) -> int:
    """Return the end offset less the larger of our position and, when nothing is in flight, the fetcher's."""
    held = partition.held if partition.busy or not partition.sought else max(partition.held, position)
    return 0 if end is None else max(0, end - held)
