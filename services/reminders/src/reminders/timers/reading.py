"""What the worker's aiokafka consumer fetched, partition by partition: one that cannot be read holds up no other.

Faust hands on whatever `getmany` raises, and ends: a header's name that is not UTF-8, or one batch with an unknown
codec, ended the worker at every start. Here each partition is read apart, as the other services do (decision 0019).
"""

import time
from collections.abc import Callable, Collection

from aiokafka import ConsumerRecord, TopicPartition

from chassis import fetching, kafka, logs, salvage
from chassis.errors import Unavailable
from chassis.halt import LOOK_AGAIN_S, Halt

SKIP = (
    "end the workers, then kafka-consumer-groups --group {group} --topic {topic}:{partition} "
    "--reset-offsets --to-offset {to} --execute"
)
"""Kafka moves a group's offset only while the group has no members."""


class Reading:
    """Reads partitions apart; one that cannot be read stands still, says so, and is tried again now and then.

    Args:
        group: Whose offsets Kafka keeps.
        sources: Topics of which nothing is read while `closed` says so.
        closed: Whether no more source records are to be taken.
        monotonic: Machine time in seconds.
    """

    def __init__(
        self,
        group: str,
        sources: Collection[str] = (),
        closed: Callable[[], bool] = lambda: False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._skip = SKIP.format(group=group, topic="{topic}", partition="{partition}", to="{to}")
        self._sources = frozenset(sources)
        self._closed = closed
        self._monotonic = monotonic
        self._halts: dict[TopicPartition, Halt] = {}
        self._look_at: dict[TopicPartition, float] = {}
        self._log = logs.get_logger()

    def reason(self) -> str | None:
        """Return which partitions stand still, where and why, or None."""
        return "; ".join(halt.text(tp, self._skip) for tp, halt in sorted(self._halts.items())) or None

    def forget(self, revoked: Collection[TopicPartition]) -> None:
        """Forget partitions that are another's now."""
        for tp in revoked:
            self._go_on(tp)

    async def fetch(
        self, consumer: kafka.Consumer, partitions: Collection[TopicPartition], timeout_s: float, most: int
    ) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        """Return what is there of these partitions: see `fetching.fetch`.

        Raises:
            KafkaError: Of the connection, the group or its coordinator: not of one partition.
        """
        now, shut = self._monotonic(), self._sources if self._closed() else frozenset[str]()
        wanted = {tp for tp in partitions if tp.topic not in shut and self._look_at.get(tp, now) <= now}
        fetched = await fetching.fetch(consumer, wanted, timeout_s, most)
        for tp, unread in fetched.unread.items():
            if records := await self._read_again(consumer, tp, unread):
                fetched.records[tp] = records
        for tp in fetched.records:
            self._go_on(tp)
        return fetched.records

    async def _read_again(
        self, consumer: kafka.Consumer, tp: TopicPartition, unread: fetching.Unread
    ) -> list[ConsumerRecord[bytes, bytes]]:
        try:
            found = await salvage.again(consumer, tp, unread, kafka.progress(consumer, tp)[0])
        except Unavailable:
            return []  # it is fetched once more
        if isinstance(found, Halt):
            if found != self._halts.get(tp):
                self._log.error("partition.halted", topic_name=tp.topic, partition=tp.partition, halt=found)
            self._halts[tp], self._look_at[tp] = found, self._monotonic() + LOOK_AGAIN_S
            return []
        if not consumer._subscription.is_assigned(tp):
            return []  # revoked meanwhile
        consumer.seek(tp, found.end)
        return found.records

    def _go_on(self, tp: TopicPartition) -> None:
        self._halts.pop(tp, None)
        self._look_at.pop(tp, None)
