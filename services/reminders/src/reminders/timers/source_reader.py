"""What the worker's aiokafka consumer fetched, partition by partition: one that cannot be read holds up no other.

Faust hands on whatever `getmany` raises, and ends: a header's name that is not UTF-8, or one batch with an unknown
codec, ended the worker at every start. Here each partition is read apart, as the other services do (decision 0019).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection

from aiokafka import ConsumerRecord, TopicPartition

from chassis.delivery.group_positions import Order
from chassis.kafka import broker
from chassis.kafka.fetch import fetch
from chassis.kafka.halt import LOOK_AGAIN_S, Halt
from chassis.kafka.rereading import Rereading
from chassis.kafka.salvage import Salvaged
from chassis.process import logs
from chassis.process.errors import Unavailable
from reminders.settings import SERVICE

type OrderOf = Callable[[TopicPartition], Awaitable[Order | None]]
"""Returns what a person ordered of a partition that stands still; raises Unavailable."""


async def no_order(_tp: TopicPartition) -> Order | None:
    """Return none."""
    return None


class SourceReader:
    """Reads partitions apart; one that cannot be read stands still, says so, and is tried again now and then.

    Attributes:
        passed: Where reading went on because a person ordered it: offsets to be committed once nothing before is in
            hand.
    """

    def __init__(
        self,
        closed: Callable[[TopicPartition], bool] = lambda _: False,
        order_of: OrderOf = no_order,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.passed: dict[TopicPartition, int] = {}
        self._closed = closed
        self._order_of = order_of
        self._monotonic = monotonic
        self._halts: dict[TopicPartition, Halt] = {}
        self._look_at: dict[TopicPartition, float] = {}
        self._rereading = Rereading()
        self._places: dict[TopicPartition, int] = {}
        self._asked: dict[TopicPartition, asyncio.Task[Order | None]] = {}
        self._log = logs.get_logger()

    def reason(self) -> str | None:
        """Return which partitions stand still, where and why, or None."""
        return "; ".join(halt.text(tp, SERVICE) for tp, halt in sorted(self._halts.items())) or None

    @property
    def halted(self) -> set[int]:
        """The numbers of the partitions that stand still."""
        return {tp.partition for tp in list(self._halts)}

    def forget(self, revoked: Collection[TopicPartition]) -> None:
        """Forget partitions that are another's now."""
        self._rereading.forget(revoked)
        for tp in revoked:
            self._go_on(tp)
            self.passed.pop(tp, None)

    async def fetch(
        self, consumer: broker.Consumer, partitions: Collection[TopicPartition], timeout_s: float, most: int
    ) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        """Return what is there of these partitions: see `chassis.kafka.fetch`."""
        now = self._monotonic()
        wanted = {tp for tp in partitions if self._look_at.get(tp, now) <= now and not self._closed(tp)}
        fetched = await fetch(consumer, wanted - self._rereading.under_way, timeout_s, most)
        for tp, unread in fetched.unread.items():
            self._places[tp] = broker.progress(consumer, tp)[0]
            self._rereading.begin(consumer, tp, unread, self._places[tp])
        for tp, found in (await self._rereading.ended()).items():
            if records := self._settle(consumer, tp, found):
                fetched.records[tp] = records
        for tp in fetched.records:
            self._go_on(tp)
        return fetched.records

    def _settle(
        self, consumer: broker.Consumer, tp: TopicPartition, found: Salvaged | Halt
    ) -> list[ConsumerRecord[bytes, bytes]]:
        if not consumer._subscription.is_assigned(tp) or broker.progress(consumer, tp)[0] != self._places[tp]:
            return []  # a rebalance was on meanwhile: what lies before may not be done
        if not isinstance(found, Halt):
            consumer.seek(tp, found.end)
            return found.records
        order = self._ordered(tp)
        if order is not None and order.covers(found.offset):
            self._pass_over(consumer, tp, found, order)
        else:
            self._stand_still(tp, found)
        return []

    def _ordered(self, tp: TopicPartition) -> Order | None:
        """Return what a person was last known to have ordered, and ask again: for the next look, so nobody waits."""
        asked = self._asked.get(tp)
        if asked is not None and not asked.done():
            return None
        self._asked[tp] = asyncio.create_task(self._ask(tp))
        return None if asked is None else asked.result()

    async def _ask(self, tp: TopicPartition) -> Order | None:
        try:
            return await self._order_of(tp)
        except Unavailable as error:
            self._log.warning("partition.order_unknown", topic_name=tp.topic, partition=tp.partition, code=error.code)
            return None

    def _stand_still(self, tp: TopicPartition, halt: Halt) -> None:
        if halt != self._halts.get(tp):
            self._log.error("partition.halted", topic_name=tp.topic, partition=tp.partition, halt=halt)
        self._halts[tp], self._look_at[tp] = halt, self._monotonic() + LOOK_AGAIN_S

    def _pass_over(self, consumer: broker.Consumer, tp: TopicPartition, halt: Halt, order: Order) -> None:
        self._log.warning(
            "partition.skipped", topic_name=tp.topic, partition=tp.partition, offset=halt.offset, to=order.to
        )
        consumer.seek(tp, order.to)
        self._go_on(tp)
        self.passed[tp] = order.to

    def _go_on(self, tp: TopicPartition) -> None:
        self._halts.pop(tp, None)
        self._look_at.pop(tp, None)
