"""What tests of applying are made of: partitions, their records, and a batch that moves positions."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition

from chassis.delivery.applier import Applying
from chassis.delivery.batch import Part
from chassis.delivery.partition import Partition
from chassis.delivery.unreadable_limit import Breaker
from chassis.process.errors import Unavailable

TOPIC: Any = SimpleNamespace(topic=SimpleNamespace(name="t"))
GONE = Unavailable("GONE", "the database")


class FakeBatch:
    """Applies by moving positions; first raises what it was given, once each, after a turn of the event loop."""

    def __init__(self, *failures: Exception, before: Callable[[], Awaitable[object]] | None = None) -> None:
        self.failures = list(failures)
        self.tried: list[list[tuple[int, int]]] = []
        self.applied: list[list[tuple[int, int]]] = []
        self._before = before

    @property
    def done(self) -> list[tuple[int, int]]:
        """(partition, offset) of all that was applied, in order."""
        return [place for places in self.applied for place in places]

    async def apply(self, _s: Any, parts: Sequence[Part], moved: Callable[[TopicPartition, int], None]) -> int:
        places = [(part.tp.partition, record.offset) for part in parts for record in part.records]
        self.tried.append(places)
        await (self._before() if self._before else asyncio.sleep(0))
        if self.failures:
            raise self.failures.pop(0)
        self.applied.append(places)
        for part in parts:
            assert part.held <= part.records[0].offset
            moved(part.tp, part.end)
        return len(places)


def applying(batch: FakeBatch, breaker: Breaker | None = None, **more: Any) -> Applying:
    one: Any = batch
    return Applying(TOPIC, one, breaker or Breaker(), "shop", **more)


def partitions(count: int, monotonic: Callable[[], float] = lambda: 0.0) -> list[Partition]:
    made = [Partition(TopicPartition("t", number), lambda: None, monotonic) for number in range(count)]
    for partition in made:
        partition.begin_at(4)
    return made


def records(*offsets: int) -> list[Any]:
    return [ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ()) for offset in offsets]


async def applied(work: Applying, shares: Mapping[Partition, Sequence[Any]]) -> None:
    work.begin(shares)
    async with asyncio.timeout(30):
        while any(partition.busy for partition in shares):  # noqa: ASYNC110  # it also waits, and would be spun through
            await asyncio.sleep(0.001)
