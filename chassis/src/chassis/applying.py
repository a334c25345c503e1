"""What one fetch brought of one topic: one transaction, and what does not go through, each partition alone (0031)."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import ConsumerRecord

from chassis import logs
from chassis.backoff import Backoff
from chassis.batch import Batch, Part
from chassis.breaker import Breaker
from chassis.errors import Unavailable
from chassis.halt import Halt
from chassis.offsets import Overtaken
from chassis.partition import Partition
from chassis.subscription import Subscription

type Record = ConsumerRecord[bytes, bytes]


class Applying:
    """Applies the records of one topic, one transaction at a time: what comes meanwhile shares the next one.

    Args:
        subscription: The topic.
        batch: Applies.
        breaker: Says when nothing is to be taken any more.
    """

    def __init__(self, subscription: Subscription[Any], batch: Batch, breaker: Breaker) -> None:
        self._subscription = subscription
        self._batch = batch
        self._breaker = breaker
        self._turn = asyncio.Lock()
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
        async with self._turn:
            wanted = {partition.tp: partition for partition in shares if self._wants(partition)}
            parts = [Part(tp, shares[partition], partition.held) for tp, partition in wanted.items()]
            try:
                if parts:
                    await self._batch.apply(self._subscription, parts, lambda tp, end: wanted[tp].moved(end))
            except Exception as error:  # noqa: BLE001  # each alone finds out whose it is, and tells
                self._log.info("batch.apart", topic_name=self._subscription.topic.name, cause=type(error).__name__)

    async def _alone(self, partition: Partition, records: Sequence[Record]) -> None:
        """Apply what is not applied yet, as often as it takes, unless the partition is given up meanwhile."""
        place = {"topic_name": partition.tp.topic, "partition": partition.tp.partition}
        backoff = Backoff()
        while self._wants(partition) and (left := [one for one in records if one.offset >= partition.held]):
            try:
                async with self._turn:
                    if not self._wants(partition):
                        return  # given up, or closed, while others had their turn
                    part = Part(partition.tp, left, partition.held)
                    await self._batch.apply(self._subscription, [part], lambda _, end: partition.moved(end))
            except Overtaken:
                self._log.warning("consumer.overtaken", **place, held=partition.held)
                partition.distrust()
            except Unavailable as error:
                tells = backoff.failed()
                partition.trouble = f"{partition.tp.topic}[{partition.tp.partition}] waits: {error.message}"
                if tells:
                    self._log.warning("consumer.unavailable", **place, code=error.code, failures=backoff.failures)
                await partition.given_up_within(backoff.pause_s())
            except Exception as error:  # noqa: BLE001  # what was fetched must not be passed over
                self._log.exception("partition.failed", **place)
                partition.distrust()
                partition.stand_still(
                    Halt(partition.held, f"could not be applied: {type(error).__name__}, see the log")
                )

    def _wants(self, partition: Partition) -> bool:
        return partition.sought and not partition.given_up and not self._breaker.is_open
