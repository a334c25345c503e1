"""Producers that do not wait for ever: batches per partition, acknowledgements by our own deadline."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, ProducerFenced, UnknownTopicOrPartitionError

from chassis.kafka import broker
from chassis.process import logs
from chassis.process.errors import Unavailable

BATCH_BYTES = 256 * 1024
ABANDON_S = 1.0
"""How long an abandoned producer's task is waited for; it then ends by itself."""


type Place = tuple[str, int]
"""A topic, without the installation's prefix, and a partition of it."""


class Fenced(Unavailable):
    """Another producer of the same transactional id has written since: what is in hand was read before that."""

    def __init__(self) -> None:
        super().__init__("PRODUCER_FENCED", "another producer of this transactional id is at work")


@dataclass(frozen=True, slots=True)
class Record:
    """What goes to Kafka; `topic` without the installation's prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    partition: int

    @property
    def place(self) -> Place:
        """Where it goes."""
        return self.topic, self.partition


class Publisher:
    """An idempotent producer that is abandoned and made anew after a failure or a missed deadline.

    A transactional one fences every earlier producer of the same id, so that a thawed process cannot append an old
    version to a compacted topic. For that it must be `ready` before the versions are read: made afterwards it would
    be the latest, though what it writes is not.
    """

    def __init__(self, bootstrap: str, prefix: str = "", transactional_id: str | None = None) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._transactional_id = None if transactional_id is None else prefix + transactional_id
        self._producer: AIOKafkaProducer | None = None
        self._log = logs.get_logger()

    async def ready(self, deadline_s: float) -> bool:
        """Have a producer, a new one if need be, and say whether Kafka gave it in time."""
        try:
            async with asyncio.timeout(deadline_s):
                await self._begun()
        except BaseException as error:
            await self._give_up(error, 0)
            if not broker.is_away(error):
                raise
        return self._producer is not None

    async def publish(self, records: Sequence[Record], deadline_s: float) -> list[bool]:
        """Send the records, in order per partition, and say of each whether Kafka acknowledged it in time.

        An unacknowledged record leaves the later ones of its partition unsent: they are to be sent again, in order.
        After a failure or a missed deadline the producer is given up.

        Raises:
            Fenced: Transactional only. Nothing of this call was written; the records are to be read anew.
        """
        done = [False] * len(records)
        if self._transactional_id is not None and self._producer is None:
            return done
        try:
            async with asyncio.timeout(deadline_s):
                await self._attempt(await self._begun(), records, done)
        except ProducerFenced:
            await self.abandon()
            raise Fenced from None
        except BaseException as error:
            await self._give_up(error, sum(done))
            if not broker.is_away(error):
                raise
        return done

    async def _attempt(self, producer: AIOKafkaProducer, records: Sequence[Record], done: list[bool]) -> None:
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
        by_place: dict[Place, list[int]] = defaultdict(list)
        for index, record in enumerate(records):
            by_place[record.place].append(index)
        sending = [
            asyncio.ensure_future(self._send_partition(producer, *place, records, indexes, done))
            for place, indexes in by_place.items()
        ]
        try:
            await asyncio.wait(sending)  # all: what one partition refuses is no reason to leave the others out
        finally:
            for task in sending:
                task.cancel()
            outcomes = await asyncio.gather(*sending, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

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
        if partition not in await producer.partitions_for(self._prefix + topic):
            raise UnknownTopicOrPartitionError(f"{topic}[{partition}]")
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

    async def _begun(self) -> AIOKafkaProducer:
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

    async def _give_up(self, error: BaseException, acknowledged: int) -> None:
        if broker.is_away(error):
            self._log.warning("producer.abandoned", error_name=type(error).__name__, acknowledged=acknowledged)
        await self.abandon()

    async def abandon(self) -> None:
        """Give the producer up without waiting for the broker: its client is closed, `stop()` would wait."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        producer._closed = True
        sender: asyncio.Task[None] | None = producer._sender.sender_task  # aiokafka 0.14: no public way out
        with contextlib.suppress(KafkaError, OSError):
            await producer.client.close()  # fails what is in flight
        if sender is not None:
            sender.cancel()
            await asyncio.wait({sender}, timeout=ABANDON_S)
            _look_at(sender)
        _look_at_failures(producer)

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


def _look_at_failures(producer: AIOKafkaProducer) -> None:
    """Take what failed inside aiokafka when the producer was refused: it was raised already."""
    accumulator = producer._message_accumulator
    queued = [batch for batches in accumulator._batches.values() for batch in batches]
    for batch in (*queued, *accumulator._pending_batches):
        _look_at(batch._drain_waiter)
        _look_at(batch.future)
    if producer._txn_manager is not None and (transaction := producer._txn_manager._transaction_waiter) is not None:
        _look_at(transaction)


def _look_at(future: asyncio.Future[Any]) -> None:
    """Take a future's error, so that asyncio does not report it as one that nobody saw."""
    if future.done() and not future.cancelled():
        future.exception()


class Publishers:
    """What a relay publishes with: one producer for all, or one for each partition, with a transactional id of its own.

    A Kafka transaction ends only when each of its partitions answers. With an id of its own a partition that stands
    still keeps no other one waiting.
    """

    def __init__(self, bootstrap: str, prefix: str = "", transactional_id: str | None = None) -> None:
        self._to = (bootstrap, prefix)
        self._id = transactional_id
        self._publishers: dict[Place | None, Publisher] = {}

    def _of(self, place: Place) -> Publisher:
        key, name = (None, None) if self._id is None else (place, f"{self._id}-{place[0]}-{place[1]}")
        if key not in self._publishers:
            self._publishers[key] = Publisher(*self._to, name)
        return self._publishers[key]

    async def ready(self, places: Collection[Place], deadline_s: float) -> list[Place]:
        """Return those of the places that can be written to; for the others there is no producer in time.

        A relay asks before it reads what waits for them: see `Publisher`.
        """
        publishers = dict.fromkeys(map(self._of, places))
        answers = await asyncio.gather(*(publisher.ready(deadline_s) for publisher in publishers))
        ready = dict(zip(publishers, answers, strict=True))
        return [place for place in places if ready[self._of(place)]]

    async def publish(self, records: Sequence[Record], deadline_s: float) -> list[bool | None]:
        """Send the records, in order per partition, and say of each whether Kafka acknowledged it in time.

        None is given for a record whose producer was fenced: it is to be read anew.
        """
        shares: dict[Publisher, list[int]] = defaultdict(list)
        for index, record in enumerate(records):
            shares[self._of(record.place)].append(index)
        done: list[bool | None] = [False] * len(records)

        async def share(publisher: Publisher, indexes: list[int]) -> None:
            try:
                answers: Sequence[bool | None] = await publisher.publish([records[i] for i in indexes], deadline_s)
            except Fenced:
                answers = [None] * len(indexes)
            for index, answer in zip(indexes, answers, strict=True):
                done[index] = answer

        await asyncio.gather(*(share(publisher, indexes) for publisher, indexes in shares.items()))
        return done

    async def close(self) -> None:
        """Stop all of them in order, or after 2 s by force."""
        await asyncio.gather(*(publisher.close() for publisher in self._publishers.values()))
