"""What stands still because the broker refuses it is not a client that is stuck (0019)."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import NodeNotReadyError

from chassis import kafka
from chassis.breaker import Breaker
from chassis.errors import Unavailable
from chassis.membership import Membership
from chassis.metrics import Metrics
from chassis.partition import Partition

CORRUPT_MESSAGE = 2
A, B = TopicPartition("t", 0), TopicPartition("t", 1)


class FakeClient:
    """An aiokafka consumer whose broker answers each fetch with a code, or not at all."""

    def __init__(self, codes: dict[TopicPartition, int | None]) -> None:
        self.paused: list[TopicPartition] = []
        self._codes = codes
        self._client = SimpleNamespace(send=self._send, cluster=SimpleNamespace(leader_for_partition=lambda _tp: 1))
        self._subscription = SimpleNamespace(subscription=None)

    async def _send(self, _node: int, request: Any) -> Any:
        ((topic, ((number, *_),)),) = request._topics
        code = self._codes[TopicPartition(topic, number)]
        if code is None:
            raise NodeNotReadyError
        return SimpleNamespace(topics=[(topic, [(number, code, 0, b"")])])

    def pause(self, tp: TopicPartition) -> None:
        self.paused.append(tp)


def membership(client: FakeClient) -> Membership:
    anything: Any = None
    consumer: Any = client
    made = Membership("m", consumer, "", anything, Metrics("m"), kafka.Pace(0), lambda: False, anything)
    for tp in (A, B):
        made._partitions[tp] = Partition(tp, anything, anything, Breaker(), asyncio.Semaphore(1), lambda: None)
        made._partitions[tp].begin_at(7)
    return made


async def test_a_partition_that_kafka_refuses_stands_still_alone_and_says_what_kafka_says() -> None:
    client = FakeClient({A: CORRUPT_MESSAGE, B: 0})
    made = membership(client)

    assert await made.refused([A])

    halt = made.partitions[A].halt
    assert halt is not None
    assert (halt.offset, halt.why) == (7, "Kafka does not give it: CorruptRecordException")
    assert made.partitions[B].halt is None
    assert client.paused == [A]


@pytest.mark.parametrize("waiting", [[B], [A, B], ["group"], ["client"]])
async def test_what_kafka_gives_or_is_no_partition_is_for_a_new_client(waiting: list[Any]) -> None:
    assert not await membership(FakeClient({A: CORRUPT_MESSAGE, B: 0})).refused(waiting)


async def test_a_client_that_reaches_nobody_explains_nothing() -> None:
    made = membership(FakeClient({A: None, B: 0}))

    with pytest.raises(Unavailable):
        await made.refused([A])

    assert made.partitions[A].halt is None
