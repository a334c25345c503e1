"""Reading batches again that aiokafka refuses, beside the fetch that all partitions of a client share.

Kafka is asked once more for such a batch, and may take `broker.ANSWER_TIMEOUT_S` to say nothing: meanwhile the records
of every other partition are taken as ever.
"""

import asyncio
import contextlib
from collections.abc import Collection, Set

from aiokafka import TopicPartition

from chassis.kafka import broker, salvage
from chassis.kafka.fetch import Unread
from chassis.kafka.halt import Halt
from chassis.kafka.salvage import Salvaged
from chassis.process.errors import Unavailable


class Rereading:
    """The batches that are being read again, one a partition. Nothing else is to be fetched of these meanwhile."""

    def __init__(self) -> None:
        self._tasks: dict[TopicPartition, asyncio.Task[Salvaged | Halt]] = {}

    @property
    def under_way(self) -> Set[TopicPartition]:
        """The partitions of which one is being read, or was and is not taken yet."""
        return set(self._tasks)

    def begin(self, consumer: broker.Consumer, tp: TopicPartition, unread: Unread, held: int) -> None:
        """Begin to read one: see `salvage.again`."""
        self._tasks[tp] = asyncio.create_task(salvage.again(consumer, tp, unread, held), name=f"reading {tp} again")

    async def ended(self) -> dict[TopicPartition, Salvaged | Halt]:
        """Return what came of those that have ended by now, after a turn of theirs.

        One of which Kafka did not answer is not there: it is fetched once more.
        """
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()), timeout=0)
        found = dict[TopicPartition, Salvaged | Halt]()
        for tp, task in list(self._tasks.items()):
            if task.done():
                self._tasks.pop(tp, None)
                try:
                    found[tp] = task.result()
                except Unavailable:
                    continue
        return found

    def forget(self, partitions: Collection[TopicPartition] | None = None) -> None:
        """End the reading of these, or of all: they are another's. May be called from another thread."""
        for tp in self.under_way if partitions is None else partitions:
            if (task := self._tasks.pop(tp, None)) is not None:
                with contextlib.suppress(RuntimeError):  # that thread has ended
                    task.get_loop().call_soon_threadsafe(task.cancel)
