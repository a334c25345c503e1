"""Moving a position that Kafka keeps, of a consumer that runs: by an order that it takes up where it has stopped.

Kafka lets nobody move the position of a group that has members. So the order is the position of a second group,
`<group>-skips`, which nobody joins; a consumer that has stopped looks there. Kafka forgets it after a week
(`offsets.retention.minutes`), long after it was taken up.
"""

import contextlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.structs import OffsetAndMetadata

from chassis.delivery.skip import Held
from chassis.kafka import broker
from chassis.process.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Order:
    """To pass over what cannot be read.

    Attributes:
        position: Where the consumer stood when it was given.
    """

    position: int
    to: int

    def covers(self, offset: int) -> bool:
        """Say whether what stands still at this offset is to go on: never back, and never by an order of before."""
        return self.position <= offset < self.to


class GroupPositions:
    """The positions of one group, and the orders to move them.

    Args:
        group: The group; its name is that of the consumer on record.
        topics: What it reads, with the installation's prefix; of those of which Kafka keeps no position, it is the
            first offset.
    """

    def __init__(self, bootstrap: str, group: str, topics: Collection[str]) -> None:
        self._bootstrap = bootstrap
        self._group = group
        self._topics = frozenset(topics)

    def keeps(self, consumer: str | None, tp: TopicPartition) -> bool:
        """Say whether it is this group's position that is meant."""
        return tp.topic in self._topics and consumer in (None, self._group)

    async def held(self, tp: TopicPartition) -> Held:
        """Return the position that Kafka keeps for the group."""
        first, _ = await broker.bounds_of(self._bootstrap, tp)
        kept = await self._positions(self._group, tp)
        return Held(self._group, tp, first if kept is None else max(first, kept.offset))

    async def move(self, held: Held, to: int) -> None:
        """Order the group to go on from there; whoever owns the partition takes it up where he stands still.

        Raises:
            Unavailable: Kafka does not answer; the order may be given or not.
        """
        consumer: Any = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, group_id=self._orders, enable_auto_commit=False
        )
        consumer.assign([held.tp])
        try:
            await broker.in_time(consumer.start())
            await broker.in_time(consumer.commit({held.tp: OffsetAndMetadata(to, str(held.position))}))
        finally:
            await broker.stop(consumer)

    async def order(self, tp: TopicPartition) -> Order | None:
        """Return the newest order for a partition."""
        given = await self._positions(self._orders, tp)
        if given is None or not given.metadata.isdecimal():
            return None
        return Order(int(given.metadata), given.offset)

    @property
    def _orders(self) -> str:
        return f"{self._group}-skips"

    async def _positions(self, group: str, tp: TopicPartition) -> OffsetAndMetadata | None:
        admin = AIOKafkaAdminClient(
            bootstrap_servers=self._bootstrap, request_timeout_ms=broker.ANSWER_TIMEOUT_S * 1000
        )
        try:
            await broker.in_time(admin.start())
            answer = await broker.in_time(admin.list_consumer_group_offsets(group, partitions=[tp]))
        finally:
            with contextlib.suppress(KafkaError, OSError):
                await broker.in_time(admin.close())
        return kept(answer, tp)


def kept(answer: Mapping[TopicPartition, OffsetAndMetadata], tp: TopicPartition) -> OffsetAndMetadata | None:
    """Return the position that Kafka keeps in a partition that it was asked for; None if it keeps none there.

    Raises:
        Unavailable: KAFKA_UNAVAILABLE: it refused to say. An error of the whole group, as while its coordinator is
            loading, aiokafka gives as an answer that names no partition.
    """
    if tp not in answer:
        raise Unavailable(
            "KAFKA_UNAVAILABLE", f"Kafka does not say where the group stands in {tp.topic}[{tp.partition}]"
        )
    return None if answer[tp].offset < 0 else answer[tp]
