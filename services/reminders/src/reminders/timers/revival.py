"""Bringing back the partitions whose rows cannot be relied on, beside the others, which fire (decision 0019)."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiokafka import TopicPartition

from chassis.kafka import broker
from chassis.kafka.halt import LOOK_AGAIN_S
from chassis.process.errors import Unavailable
from chassis.process.logs import get_logger
from reminders.timers.partition import ANEW, Partition
from reminders.timers.source_reader import OrderOf
from reminders.timers.store import PartitionedStore
from reminders.timers.transaction import Writer

LOOKS_A_READING = 12
"""What a person may let begin anew is read again at every so many looks for his order: once a minute. What Kafka does
not give is read again at every look."""


class Writers(Protocol):
    """The writers of the partitions owned: see `recovery.Writers`."""

    def __getitem__(self, partition: int) -> Writer:
        """Return the one writer of a partition."""


class Reviving:
    """Brings back partitions that stand still: as a person orders it, or because they can be read again."""

    def __init__(
        self,
        store: PartitionedStore,
        writers: Writers,
        changelog: str,
        order_of: OrderOf,
        read: Callable[[Mapping[int, Partition], Mapping[int, bytes]], Awaitable[None]],
        make_ready: Callable[[Mapping[int, Partition]], Awaitable[None]],
        pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(LOOK_AGAIN_S),
    ) -> None:
        self._store = store
        self._writers = writers
        self._changelog = changelog
        self._order_of = order_of
        self._read = read
        self._make_ready = make_ready
        self._pause = pause

    async def run(self, sentinels: Mapping[int, bytes]) -> None:
        """Look now and then, until none of the partitions with these sentinels stands still."""
        looks = 0
        while halted := {n: part for n, part in self._store.parts.items() if n in sentinels and part.halt is not None}:
            await self._pause()
            looks += 1
            for number, part in halted.items():
                if await self._is_to_begin_anew(number, part):
                    await asyncio.shield(self._begin_anew(number, part))
            is_time = looks % LOOKS_A_READING == 0
            await self._read_again({number: sentinels[number] for number, part in halted.items()
                                    if part.halt is not None and (is_time or part.halt.skip_to is None)})  # fmt: skip

    async def _is_to_begin_anew(self, number: int, part: Partition) -> bool:
        """Say whether a person ordered it, of what was read and is bad; what Kafka does not give may be good."""
        if part.halt is None or part.halt.skip_to is None:
            return False
        try:
            order = await self._order_of(TopicPartition(self._changelog, number))
        except Unavailable as error:
            get_logger().warning("timers.order_unknown", partition=number, code=error.code)
            return False
        return order is not None and order.covers(part.halt.offset)

    async def _begin_anew(self, number: int, part: Partition) -> None:
        """Begin a partition without rows, durably; who is told of the live partitions has planned what is ahead."""
        async with part.lock:
            if not self._store.recovered or self._store.parts.get(number) is not part:
                return  # it is another's soon
            written = await self._writers[number].write({self._changelog: [(ANEW, secrets.token_bytes(16), ())]})
            part.begin_anew(written[self._changelog])
            part.position = written[self._changelog] + 1
            await part.index()
            get_logger().warning("timers.begun_anew", partition=number)
            self._store.replace(number, part)

    async def _read_again(self, sentinels: Mapping[int, bytes]) -> None:
        """Read partitions that stand still from their beginning: whatever it was may be mended, or be another thing."""
        if not sentinels:
            return
        fresh = {number: Partition(self._store.keep) for number in sentinels}
        try:
            await self._read(fresh, sentinels)
        except Exception as error:
            if not broker.is_away(error):
                raise
            return  # it is read at a later look
        await self._make_ready(fresh)
        for number, part in fresh.items():
            self._store.replace(number, part)
