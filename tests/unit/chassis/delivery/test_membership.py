"""What is fetched is for who owns it now; what the broker refuses is not a client that is stuck (0019)."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, NodeNotReadyError
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from chassis.delivery.membership import Membership
from chassis.delivery.partition import Partition
from chassis.kafka import broker
from chassis.kafka.halt import Halt
from chassis.kafka.unpacked_size import MOST_BYTES
from chassis.postgres.portion import BATCH_RECORDS
from chassis.process.errors import Unavailable
from chassis.process.metrics import Metrics

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


def record(
    key: bytes | None = None, value: bytes | None = b"", headers: Sequence[tuple[str, bytes]] = ()
) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("t", 0, 7, 0, 0, key, value, None, 0, 0, headers)


def membership(client: Any, applying: Any = None) -> Membership:
    pool: Any = None
    made = Membership("m", client, "", pool, Metrics("m"), broker.Pace(0), lambda: False, applying or {})
    for tp in (A, B):
        made._partitions[tp] = Partition(tp, lambda: None)
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


class FetchingClient:
    """An aiokafka consumer to which one partition's records come while a fetch waits.

    Args:
        meanwhile: Called when they are there and not handed out yet.
    """

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        self.records = [record()]
        self.waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coordinator = SimpleNamespace(check_errors=lambda: None)
        self._subscription = SimpleNamespace(
            reassignment_in_progress=False, subscription=None, fetch_context=self._fetch_context
        )
        self._fetcher = SimpleNamespace(
            _records={}, _create_fetch_waiter=lambda: self.waiter, _notify=lambda _: None, _wait_consume_future=None
        )
        self._meanwhile = meanwhile

    @contextmanager
    def _fetch_context(self) -> Iterator[None]:
        if self._fetcher._records:
            self._meanwhile()
        yield

    def come(self) -> None:
        """Let the records come."""
        self._fetcher._records[A] = SimpleNamespace(
            check_assignment=lambda _tp: True, _partition_records=iter(self.records), _update_position=lambda: None
        )
        self.waiter.set_result(None)

    def assignment(self) -> set[TopicPartition]:
        return {A, B}

    async def commit(self, _positions: object) -> None:
        return None


class FakeApplying:
    """Notes what is begun: partition → records."""

    def __init__(self, *, busy: bool = False) -> None:
        self.busy = busy
        self.begun: list[dict[int, object]] = []

    def begin(self, shares: Mapping[Partition, object]) -> None:
        self.begun.append({partition.tp.partition: records for partition, records in shares.items()})


async def a_round(made: Membership, client: FetchingClient) -> None:
    round_ = asyncio.create_task(made.round())
    await asyncio.sleep(0)
    client.come()
    await round_


@pytest.mark.parametrize("assigned_anew", [False, True])
async def test_what_was_fetched_before_an_assignment_is_not_applied_after_it(assigned_anew: bool) -> None:
    applying = FakeApplying()
    client = FetchingClient(lambda: made.assigned() if assigned_anew else None)
    made = membership(client, {"t": applying})

    await a_round(made, client)

    assert applying.begun == ([] if assigned_anew else [{0: client.records}])


async def test_of_very_many_records_one_transaction_takes_only_so_many() -> None:
    applying, client = FakeApplying(), FetchingClient(lambda: None)
    client.records = [record()] * (2 * BATCH_RECORDS)

    await a_round(membership(client, {"t": applying}), client)

    assert applying.begun == [{0: client.records[:BATCH_RECORDS]}]
    assert list(client._fetcher._records) == [A]


@pytest.mark.parametrize(
    "large",
    [{"value": bytes(MOST_BYTES // 4)}, {"key": bytes(MOST_BYTES // 4)}, {"headers": [("h", bytes(MOST_BYTES // 4))]}],
)
async def test_of_large_records_one_transaction_takes_only_so_many_bytes(large: dict[str, Any]) -> None:
    applying, client = FakeApplying(), FetchingClient(lambda: None)
    client.records = [record(**large)] * 500

    await a_round(membership(client, {"t": applying}), client)

    taken: Any = applying.begun[0][0]
    assert len(taken) == 4
    assert list(client._fetcher._records) == [A]


async def test_while_a_transaction_of_a_topic_is_under_way_its_records_are_left_for_the_next_one() -> None:
    applying, client = FakeApplying(busy=True), FetchingClient(lambda: None)

    await a_round(membership(client, {"t": applying}), client)

    assert applying.begun == []
    assert list(client._fetcher._records) == [A]


class AskedClient:
    """An aiokafka consumer that is asked for the ends of its partitions."""

    def __init__(self, ends: dict[TopicPartition, int] | None) -> None:
        self._ends = ends
        self._subscription = SimpleNamespace(subscription=None)

    def assignment(self) -> set[TopicPartition]:
        return {A, B}

    async def end_offsets(self, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        if self._ends is None:
            raise NodeNotReadyError
        return {tp: self._ends[tp] for tp in partitions}


async def test_what_is_behind_ought_to_get_on_but_for_what_says_why_it_does_not() -> None:
    made = membership(AskedClient({A: 9, B: 7}))
    made.assigned()
    assert await made.waiting() == {A: (7, 0)}

    made.partitions[A].trouble = "waits: the database"
    assert await made.waiting() == {}
    made.partitions[A].trouble = None
    made.partitions[A].stand_still(Halt(7, "cannot be read"))
    assert await made.waiting() == {}


async def test_who_is_not_joined_or_gets_no_answer_ought_to_get_on() -> None:
    made = membership(AskedClient(None))
    assert list(await made.waiting()) == ["group"]

    made.assigned()

    assert list(await made.waiting()) == ["client"]


class TornClient(FetchingClient):
    """An aiokafka consumer that fetched of B what it cannot read, and of A one record a round.

    Args:
        answer: What the broker answers when B is asked for again.
    """

    def __init__(self, answer: asyncio.Future[bytes]) -> None:
        super().__init__(lambda: None)
        self.answer, self.asked, self.sought = answer, 0, list[tuple[TopicPartition, int]]()
        self.paused: list[TopicPartition] = []
        self._client = SimpleNamespace(send=self._send, cluster=SimpleNamespace(leader_for_partition=lambda _tp: 1))
        self._fetcher._create_fetch_waiter = lambda: asyncio.get_running_loop().create_future()

    async def _send(self, _node: int, _request: Any) -> Any:
        self.asked += 1
        return SimpleNamespace(topics=[("t", [(1, 0, 0, await asyncio.shield(self.answer))])])

    def have(self) -> None:
        """Have fetched of both."""
        for tp, reading in ((A, iter([record()])), (B, Torn())):
            self._fetcher._records[tp] = SimpleNamespace(
                check_assignment=lambda _tp: True, _partition_records=reading, _update_position=lambda: None
            )

    def pause(self, tp: TopicPartition) -> None:
        self.paused.append(tp)

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.sought.append((tp, offset))


class Torn:
    """What aiokafka cannot read."""

    next_fetch_offset = 7

    def __iter__(self) -> "Torn":
        return self

    def __next__(self) -> ConsumerRecord[bytes, bytes]:
        raise CorruptRecordException


def a_batch() -> bytes:
    batch = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)
    batch.append(7, None, b"key", b"value", [])
    return bytes(batch.build())


async def test_a_partition_that_is_slow_to_be_read_again_holds_up_no_round_of_the_others() -> None:
    answer = asyncio.get_running_loop().create_future()
    applying, client = FakeApplying(), TornClient(answer)
    made = membership(client, {"t": applying})

    async with asyncio.timeout(5):
        for _ in range(3):
            client.have()
            await made.round()
    assert [list(begun) for begun in applying.begun] == [[0], [0], [0]]
    assert client.asked == 1

    client._fetcher._records.clear()
    answer.set_result(a_batch())
    await made.round()
    await made.round()
    assert [list(begun) for begun in applying.begun] == [[0], [0], [0], [1]]
    assert client.sought == [(B, 8)]


async def test_what_cannot_be_read_again_either_stands_still_alone() -> None:
    answer = asyncio.get_running_loop().create_future()
    client = TornClient(answer)
    made = membership(client, {"t": FakeApplying()})
    answer.set_result(b"no batch")
    client.have()

    await made.round()
    await made.round()

    assert client.paused == [B]
    assert made.partitions[A].halt is None


@pytest.mark.parametrize("meanwhile", ["revoked", "distrusted"])
async def test_what_was_read_again_of_a_partition_that_is_not_ours_as_it_was_is_dropped(meanwhile: str) -> None:
    answer = asyncio.get_running_loop().create_future()
    applying, client = FakeApplying(), TornClient(answer)
    made = membership(client, {"t": applying})
    client.have()
    await made.round()

    if meanwhile == "revoked":
        await made.revoked()
        made._partitions[B] = Partition(B, lambda: None)
        made._partitions[B].begin_at(9)
    else:
        made._partitions[B].distrust()
    answer.set_result(a_batch())
    for _ in range(2):
        for tp, found in (await made._rereading.ended()).items():
            made._settle(tp, found)

    assert [list(begun) for begun in applying.begun] == [[0]]
    assert client.sought == []
