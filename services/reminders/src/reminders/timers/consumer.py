"""Faust's consumer, made to hand on batches, to acknowledge what we say and to read only what was committed.

Read against faust-streaming 0.15.3:

* The compiled stream acknowledges by itself and never calls `Message.on_final_ack` (fact 13), and a
  plain agent acknowledges events whose work failed (fact 2). So streams here are `noack()`, and
  `acknowledge` is called after the durable write, partition by partition in order; what is committed
  is simply the offset after the last one.
* Its `_drain_messages` makes one message, one event and one turn of three queues of every record: 250 µs
  of CPU with one durable write each, 6 µs in batches (`faust.md`). So one message here carries up to
  `CHUNK` records of a partition as its value; `BatchSchema` hands them on as they are.
* `perform_seek` leaves a partition without a committed offset where reading stood, so that what was
  fetched and let go before the first commit is never seen again (aiokafka's `seek_to_committed` seeks to
  offsets above 0 only).
* Whatever reading one partition raises comes out of `fetched_records` for all of them, and ends the worker; and an
  error of the group while no partition is held is told to nobody, so that aiokafka waits for ever: `source_reader.py`.
* Faust keeps gaps between offsets in interval trees, which need the offsets before the gap to have
  been acknowledged its own way, and grow with every commit marker. Order per partition makes them
  needless.
"""

import asyncio
import contextlib
from collections.abc import Collection, Iterator
from typing import Any, Protocol, cast

import faust
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faust.events import Event
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers.aiokafka import Consumer
from faust.types import TP, Message
from faust.types.transports import TPorTopicSet
from faust.types.tuples import ConsumerMessage
from mode import ServiceT
from mode.utils.futures import notify

from chassis.kafka.fetch import size_of
from chassis.kafka.unpacked_size import MOST_BYTES
from chassis.process.errors import Unavailable
from reminders.timers.thread import HasSourceReader, ReadCommittedThread

LAG_TIMEOUT_S = 5.0

CHUNK = 1000
"""Records of one message."""

IN_HAND = 24
"""Messages handed on and not acknowledged. More would only use memory: at 755 bytes a record these are 18 MB."""

IN_HAND_BYTES = MOST_BYTES
"""What these hold together, but for one that alone holds more: what one fetch brings may, with its last record, be
twice as much (`chassis.kafka.fetch`)."""


class Writes(Protocol):
    """The tables, which are written to beside the stream."""

    async def quiet(self) -> None:
        """Wait until nothing of ours is being written; the gate is shut already."""


class BatchSchema(faust.Schema[Any, Any]):
    """Hands on the records of a message as they are: decoding is their owner's affair."""

    async def decode(self, app: Any, message: Message, *, propagate: bool = False) -> Any:
        """Return an event that carries the message and nothing else."""
        return Event(app, None, message.value, None, message)


class AwaitedConsumer(Consumer):
    """Commits, for each partition, the offset after the last record given to `acknowledge`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._next: dict[TP, int] = {}
        self._fetched: dict[TP, int] = {}
        self._asking: asyncio.Future[dict[int, int]] | None = None
        self._room = asyncio.Event()
        self._seeks = 0
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
        self._room.set()
        notify(self._waiting_for_ack)

    def acknowledge_before(self, message: Message, offset: int) -> None:
        """Say that of these records those below `offset` are durably done, and with the others nothing was done."""
        self.release(message)
        self._next[message.tp] = offset

    def release(self, message: Message) -> None:
        """Say that nothing was done with this record: a revocation need not wait for it."""
        message.acked = True
        self._unacked_messages.discard(message)
        self._room.set()
        notify(self._waiting_for_ack)

    async def lag(self, *topics: str) -> dict[int, int]:
        """Return partition → records of `topics` not yet acknowledged, for the partitions held.

        Commit markers are no records: a partition read to its end has no lag but what is in hand.
        """
        if self._asking is None or self._asking.done():  # one at a time: Faust's thread has two hands
            self._asking = asyncio.ensure_future(self._lag(topics))
        try:
            async with asyncio.timeout(LAG_TIMEOUT_S):
                return await asyncio.shield(self._asking)
        except (KafkaError, TimeoutError, ConsumerNotStarted) as error:
            raise Unavailable("KAFKA_UNAVAILABLE", f"lag: {type(error).__name__}") from error

    async def check_group(self) -> None:
        """Take note of what went wrong in the group; to be called again and again, with partitions and without."""
        with contextlib.suppress(ConsumerNotStarted):
            await cast(ReadCommittedThread, self._thread).check_group()

    async def visible(self, written: Collection[tuple[TP, int]]) -> bool:
        """Return whether what was written up to these offsets can be read by who reads committed.

        The broker says that a transaction is committed before it says so in the partitions.
        """
        if not written:
            return True
        try:
            async with asyncio.timeout(LAG_TIMEOUT_S):
                ends = await self.highwaters(*(tp for tp, _ in written))
        except (KafkaError, TimeoutError, ConsumerNotStarted) as error:
            raise Unavailable("KAFKA_UNAVAILABLE", f"ends: {type(error).__name__}") from error
        return all(ends[tp] > offset for tp, offset in written)

    async def _lag(self, topics: Collection[str]) -> dict[int, int]:
        held = {tp for tp in self.assignment() if tp.topic in topics}
        if not held:
            return {}
        ends = await self.highwaters(*held)
        positions = await self._thread.call_thread(self._positions, held)  # after the records fetched before it
        lag: dict[int, int] = {}
        for tp in held:
            done = max(self._next.get(tp, 0), self._committed_offset[tp] or 0)
            in_hand = max(0, self._fetched.get(tp, 0) - done)
            lag[tp.partition] = lag.get(tp.partition, 0) + in_hand + max(0, ends[tp] - max(positions.get(tp, 0), done))
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
        """Forget what was acknowledged, after the last commit of it.

        Waits until nothing of ours is being written, taken or fired: the next owner fences us at once.
        """
        self._room.set()
        await super().on_partitions_revoked(revoked)
        await cast(Writes, self.app.tables).quiet()
        cast(HasSourceReader, self.app).source_reader.forget(revoked)
        for tp in revoked:
            self._next.pop(tp, None)
            self._fetched.pop(tp, None)

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Verify nothing: Faust's own asserts that a partition has a state, which ends the worker in a rebalance."""

    async def perform_seek(self) -> None:
        """Seek to the committed offsets, or to the beginning where none is committed; and count it.

        What a person let pass lies ahead again: it is passed again when reading comes to it.
        """
        await super().perform_seek()
        cast(HasSourceReader, self.app).source_reader.passed.clear()
        source = (tp for tp in self.assignment() if tp.topic not in self.app.tables.changelog_topics)
        new = [TopicPartition(tp.topic, tp.partition) for tp in source if self._committed_offset[tp] is None]
        if new:
            await self._thread.seek_to_beginning(*new)
        self._seeks += 1

    async def _drain_messages(self, fetcher: ServiceT) -> None:
        """Hand on what comes, batch by batch, until consumer or fetcher are stopped.

        What a fetch brings that straddled a seek may lie beyond what the seek went back to, and would be
        acknowledged past it: it is let go, and sought again.
        """
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):  # type: ignore[attr-defined]
                seeks = self._seeks
                records, active = await self._wait_next_records(1.0)
                self._commit_passed()
                generation = self.app.consumer_generation_id
                await asyncio.sleep(0)
                if records is None or self.should_stop:
                    continue
                if not self.flow_active or (records and seeks != self._seeks):
                    with contextlib.suppress(KafkaError):  # a rebalance is on; recovery seeks again
                        await self.perform_seek()
                    continue
                for place, batch in records.items():
                    await self._hand_on(TP(place.topic, place.partition), batch, active, generation)
        except self.consumer_stopped_errors:
            if not self.transport.app.should_stop:
                raise

    def _commit_passed(self) -> None:
        """Take up positions that a person moved, of partitions of which all that was fetched before is done.

        What was given back undone, because too much of it was dead, is no longer in hand and not done either.
        """
        passed = cast(HasSourceReader, self.app).source_reader.passed
        for place in list(passed):
            tp = TP(*place)
            if self._next.get(tp, 0) >= self._fetched.get(tp, 0):
                self._next[tp] = max(self._next.get(tp, 0), passed.pop(place))

    async def _hand_on(self, tp: TP, batch: list[Any], active: set[TP] | None, generation: int) -> None:
        if not (active is None or tp in active or tp in self._buffered_partitions):
            return
        read = self._read_offset[tp]  # Faust's: the offset read last, or the committed one after a seek
        fresh = batch if read is None else [record for record in batch if record.offset >= read]
        for start in range(0, len(fresh), CHUNK):
            chunk = fresh[start : start + CHUNK]
            size = sum(map(size_of, chunk))
            await self._wait_for_room(size)
            if not self.flow_active or generation != self.app.consumer_generation_id:
                return
            last = chunk[-1]
            message = ConsumerMessage(
                tp.topic, tp.partition, last.offset, last.timestamp / 1000, last.timestamp_type, None, None,
                cast(Any, chunk), None, 0, size, tp, generation_id=generation,
            )  # fmt: skip
            await self.wait_first(self.callback(message), self.suspend_flow.wait())
            self._read_offset[tp] = last.offset + 1

    async def _wait_for_room(self, size: int) -> None:
        """Wait until a message of so many bytes may be handed on; one that fits nowhere goes alone."""
        while self._is_full(size) and self.flow_active and not self.should_stop:
            self._room.clear()
            await self.wait_first(self._room.wait(), self.suspend_flow.wait())

    def _is_full(self, size: int) -> bool:
        held = [message.serialized_value_size for message in self._unacked_messages]
        return len(held) >= IN_HAND or (bool(held) and sum(held) + size > IN_HAND_BYTES)

    def _filter_tps_with_pending_acks(self, topics: TPorTopicSet | None = None) -> Iterator[TP]:
        return (tp for tp in list(self._next) if topics is None or tp in topics or tp.topic in topics)

    def _new_offset(self, tp: TP) -> int | None:
        return self._next.get(tp)
