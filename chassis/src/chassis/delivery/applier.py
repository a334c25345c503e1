"""What one fetch brought of one topic: one transaction, and what does not go through, each partition alone (0031).

What is more than PostgreSQL takes at once goes through in smaller portions, down to the single record.
"""

import asyncio
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from chassis.delivery.batch import Batch, Part, first_of
from chassis.delivery.lone_partition import Alone
from chassis.delivery.offsets import Overtaken
from chassis.delivery.partition import Partition
from chassis.delivery.subscription import Subscription
from chassis.delivery.unreadable_limit import Breaker
from chassis.kafka.halt import Halt
from chassis.postgres.portion import Portion, learning
from chassis.process import logs
from chassis.process.errors import Unavailable

type Record = ConsumerRecord[bytes, bytes]
type Moved = Callable[[TopicPartition, int], None]


class Applying:
    """Applies the records of one topic, one transaction at a time: what comes meanwhile shares the next one."""

    def __init__(
        self,
        subscription: Subscription[Any],
        batch: Batch,
        breaker: Breaker,
        service: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._subscription = subscription
        self._batch = batch
        self._breaker = breaker
        self._service = service
        self._monotonic = monotonic
        self._turn = asyncio.Lock()
        self._portion = Portion()
        self._passed = 0
        self._log = logs.get_logger()

    @property
    def busy(self) -> bool:
        """Whether a transaction is under way: nothing is to be begun before its end."""
        return self._turn.locked()

    def begin(self, shares: Mapping[Partition, Sequence[Record]]) -> None:
        """Begin to apply these records, in offset order and at least one of each partition, none of which is busy."""
        work = asyncio.create_task(self._work(shares), name=f"batch of {self._subscription.topic.name}")
        for partition in shares:
            partition.begin(work)

    async def _work(self, shares: Mapping[Partition, Sequence[Record]]) -> None:
        try:
            if len(shares) > 1:
                await self._together(shares)
            await asyncio.gather(*(self._alone(partition, records) for partition, records in shares.items()))
        finally:
            for partition in shares:
                partition.rest()

    async def _together(self, shares: Mapping[Partition, Sequence[Record]]) -> None:
        """Apply what is there, portion by portion and in turns, until one does not go through."""
        places, turns = {partition.tp: partition for partition in shares}, list(shares)
        try:
            while True:
                async with self._turn:
                    left = [part for one in turns if self._wants(one) and (part := _left(one, shares[one]))]
                    if not left:
                        return
                    portion = first_of(left, self._portion.records)
                    with learning(self._portion, self._monotonic, sum(len(part.records) for part in portion)):
                        await self._apply(portion, lambda tp, end: places[tp].moved(end))
                served = {part.tp for part in portion}
                turns.sort(key=lambda one: one.tp in served)
        except Exception as error:  # noqa: BLE001  # each alone finds out whose it is, and tells
            self._log.info("batch.apart", topic_name=self._subscription.topic.name, cause=type(error).__name__)

    async def _alone(self, partition: Partition, records: Sequence[Record]) -> None:
        """Apply what is not applied yet, as often as it takes, unless the partition is given up meanwhile."""
        place = {"topic_name": partition.tp.topic, "partition": partition.tp.partition}
        alone = Alone(self._portion, self._service)
        while self._wants(partition) and (left := _left(partition, records)):
            try:
                async with self._turn:
                    if not self._wants(partition):
                        return  # given up, or closed, while others had their turn
                    part = alone.next_of(left)
                    began = self._monotonic()
                    await self._try(partition, part, alone.verdict(part))
                    alone.succeeded(part, self._monotonic() - began)
            except Overtaken:
                self._log.warning("consumer.overtaken", **place, held=partition.held)
                partition.distrust()
            except Unavailable as error:
                partition.trouble, tells = alone.failed(part, error, self._passed)
                if tells:
                    told = {"failures": alone.failures, "records": len(part.records)}
                    self._log.warning("consumer.unavailable", **place, code=error.code, cause=error, **told)
                await partition.given_up_within(alone.pause_s)
            except Exception as error:  # noqa: BLE001  # what was fetched must not be passed over
                self._log.exception("partition.failed", **place)
                partition.distrust()
                partition.stand_still(
                    Halt(partition.held, f"could not be applied: {type(error).__name__}, see the log")
                )

    async def _try(self, partition: Partition, part: Part, verdict: str | None) -> None:
        """Apply the part; or set its one record aside, if it is the cause."""
        if verdict is None:
            await self._apply([part], lambda _, end: partition.moved(end))
        else:
            await self._batch.set_aside(self._subscription, part, verdict)
            partition.moved(part.end)

    async def _apply(self, parts: Sequence[Part], moved: Moved) -> None:
        self._passed += await self._batch.apply(self._subscription, parts, moved)

    def _wants(self, partition: Partition) -> bool:
        return partition.sought and not partition.given_up and not self._breaker.is_open


def _left(partition: Partition, records: Sequence[Record]) -> Part | None:
    """Return what of the records is not applied yet, if any is."""
    begun = bisect_left(records, partition.held, key=lambda record: record.offset)
    return Part(partition.tp, records[begun:], partition.held) if begun < len(records) else None
