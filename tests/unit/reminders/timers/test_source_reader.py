"""One partition that the worker cannot read stands still, says so and is tried again; it holds up no other (0019)."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CorruptRecordException, NodeNotReadyError
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy

from chassis.delivery.group_positions import Order
from chassis.kafka.halt import LOOK_AGAIN_S
from chassis.process.errors import Unavailable
from reminders.timers.source_reader import SourceReader

A, B, LOG = TopicPartition("appointments", 0), TopicPartition("appointments", 1), TopicPartition("changelog", 0)


def record(tp: TopicPartition) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord(*tp, 7, 0, 0, b"key", b"value", None, 0, 0, ())


class Client:
    """An aiokafka consumer that fetched a record of each partition, but of `torn` what it cannot read.

    Args:
        torn: Partitions whose batch is no batch, however often it is fetched.
    """

    def __init__(self, *torn: TopicPartition) -> None:
        self.torn, self.is_there, self.is_ours = set(torn), True, True
        self.meanwhile: Callable[[], None] = lambda: None
        self.answers = asyncio.Event()
        self.answers.set()
        self.raw = b"no batch of any version at all"
        self.asked, self.sought = list[TopicPartition](), list[tuple[TopicPartition, int]]()
        self._coordinator = SimpleNamespace(check_errors=lambda: None)
        self.state = SimpleNamespace(has_valid_position=True, position=7, highwater=9, lso=9)
        assigned = SimpleNamespace(assignment=SimpleNamespace(state_value=lambda _tp: self.state))
        self._subscription = SimpleNamespace(
            reassignment_in_progress=False,
            fetch_context=self._context,
            subscription=assigned,
            is_assigned=lambda _tp: self.is_ours,
        )
        self._fetcher = SimpleNamespace(_records={}, _notify=lambda _: None, _wait_consume_future=None)
        self._client = SimpleNamespace(send=self._send, cluster=SimpleNamespace(leader_for_partition=lambda _tp: 1))

    @contextmanager
    def _context(self) -> Iterator[None]:
        yield

    async def _send(self, _node: int, request: Any) -> Any:
        if not self.is_there:
            raise NodeNotReadyError
        ((topic, ((number, *_),)),) = request._topics
        self.asked.append(TopicPartition(topic, number))
        self.meanwhile()
        await self.answers.wait()
        return SimpleNamespace(topics=[(topic, [(number, 0, 0, self.raw)])])

    def seek(self, tp: TopicPartition, offset: int) -> None:
        self.sought.append((tp, offset))
        self.state.position = offset

    def come(self, *partitions: TopicPartition) -> None:
        """Have fetched these."""
        for tp in partitions:
            error = {"_error": None} if tp not in self.torn else {}
            self._fetcher._records[tp] = SimpleNamespace(
                _partition_records=Torn() if tp in self.torn else iter([record(tp)]),
                check_assignment=lambda _tp: True, _update_position=lambda: None, **error,
            )  # fmt: skip


class Torn:
    """What aiokafka cannot read."""

    next_fetch_offset = 7

    def __iter__(self) -> "Torn":
        return self

    def __next__(self) -> ConsumerRecord[bytes, bytes]:
        raise CorruptRecordException


class Worker:
    """Reads as the worker does; machine time is given."""

    def __init__(self, client: Client) -> None:
        self.client, self.at, self.is_closed = client, 0.0, False
        self.order: Order | None = None
        self.questions, self.knows, self.answered = 0, True, asyncio.Event()
        self.answered.set()
        self.reader = SourceReader(lambda tp: self.is_closed and tp.topic == A.topic, self._ask, lambda: self.at)

    async def _ask(self, _tp: TopicPartition) -> Order | None:
        self.questions += 1
        await self.answered.wait()
        if not self.knows:
            raise Unavailable("KAFKA_UNAVAILABLE", "Kafka: GroupAuthorizationFailedError")
        return self.order

    async def look(self) -> set[TopicPartition]:
        """Let the pause be over, and fetch; what is asked then is answered before the next look, if it ever is."""
        self.at += LOOK_AGAIN_S
        given = await self.fetch(A, B)
        for _ in range(5):
            await asyncio.sleep(0)
        return given

    async def fetch(self, *partitions: TopicPartition) -> set[TopicPartition]:
        """Let these come, and return of which partitions records were given."""
        self.client.come(*partitions)
        client: Any = self.client
        return set(await self.reader.fetch(client, partitions, 0, 100))


async def test_one_partition_that_cannot_be_read_stands_still_and_says_where_and_the_others_are_given() -> None:
    worker = Worker(Client(A))

    given = await worker.fetch(A, B, LOG)

    assert given == {B, LOG}
    said = worker.reader.reason()
    assert said is not None
    assert "appointments[0] stands at 7" in said
    assert "appointments[1]" not in said


async def test_it_is_tried_again_now_and_then_and_goes_on_once_it_can_be_read() -> None:
    worker = Worker(Client(A))
    await worker.fetch(A, B)
    tried = len(worker.client.asked)

    worker.at = LOOK_AGAIN_S - 1
    assert await worker.fetch(A, B) == {B}
    assert len(worker.client.asked) == tried
    worker.at = LOOK_AGAIN_S
    worker.client.torn.clear()

    assert await worker.fetch(A, B) == {A, B}
    assert worker.reader.reason() is None


@pytest.mark.parametrize("is_ours", [True, False])
async def test_what_can_be_read_after_all_is_given_if_the_partition_is_still_ours(is_ours: bool) -> None:
    worker, batch = Worker(Client(A)), _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)
    batch.append(7, None, b"key", b"value", [])
    worker.client.raw, worker.client.is_ours = bytes(batch.build()), is_ours

    assert await worker.fetch(A, B) == ({A, B} if is_ours else {B})
    assert worker.client.sought == [(A, 8)] * is_ours
    assert worker.reader.reason() is None


async def test_a_broker_that_does_not_answer_makes_nothing_stand_still() -> None:
    worker = Worker(Client(A))
    worker.client.is_there = False

    assert await worker.fetch(A, B) == {B}
    assert worker.reader.reason() is None


async def test_a_partition_that_is_anothers_now_is_forgotten() -> None:
    worker = Worker(Client(A))
    await worker.fetch(A)

    worker.reader.forget([B])
    assert worker.reader.reason() is not None
    worker.reader.forget([A])
    assert worker.reader.reason() is None


@pytest.mark.parametrize(("closed", "given"), [(True, {LOG}), (False, {A, B, LOG})])
async def test_while_no_more_is_to_be_taken_the_changelog_is_read_on(closed: bool, given: set[TopicPartition]) -> None:
    worker = Worker(Client())
    worker.is_closed = closed

    assert await worker.fetch(A, B, LOG) == given


async def test_it_goes_on_from_where_a_person_ordered_and_that_is_to_be_committed() -> None:
    worker = Worker(Client(A))
    worker.order = Order(3, 9)

    await worker.look()
    await worker.look()

    assert worker.client.sought == [(A, 9)]
    assert worker.reader.passed == {A: 9}
    assert worker.reader.reason() is None


@pytest.mark.parametrize("order", [Order(0, 7), Order(8, 9), None])
async def test_an_order_for_another_place_moves_nothing(order: Order | None) -> None:
    worker = Worker(Client(A))
    worker.order = order

    await worker.look()
    await worker.look()

    assert worker.client.sought == []
    assert "appointments[0] stands at 7" in str(worker.reader.reason())


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_partition_that_went_back_in_a_rebalance_meanwhile_is_read_from_there(ordered: bool) -> None:
    """It was taken away and given back: what was fetched and not done lies before, and is to be read again."""
    worker, batch = Worker(Client(A)), _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)
    worker.order = Order(0, 9)
    await worker.look()
    if not ordered:
        batch.append(7, None, b"key", b"value", [])
        worker.client.raw = bytes(batch.build())
    worker.client.meanwhile = lambda: worker.client.seek(A, 3)

    assert await worker.look() == {B}

    assert worker.client.sought == [(A, 3)]
    assert worker.reader.passed == {}


async def test_it_says_that_it_stands_still_and_pauses_though_nobody_can_be_asked_for_an_order() -> None:
    worker = Worker(Client(A))
    worker.knows = False

    for looks in (1, 2):
        await worker.look()
        await worker.fetch(A, B)
        assert "appointments[0] stands at 7" in str(worker.reader.reason())
        assert (worker.questions, len(worker.client.asked)) == (looks, looks)


async def test_who_is_asked_for_an_order_and_does_not_answer_holds_up_no_other_partition() -> None:
    worker = Worker(Client(A))
    worker.answered.clear()

    async with asyncio.timeout(5):
        assert await worker.look() == {B}
        assert await worker.look() == {B}
    assert worker.questions == 1

    worker.answered.set()
    await worker.look()
    assert worker.questions == 2


async def test_a_partition_that_is_slow_to_be_read_again_holds_up_no_other_and_is_not_asked_for_twice() -> None:
    worker = Worker(Client(A))
    worker.client.answers.clear()

    async with asyncio.timeout(5):
        for _ in range(4):
            assert await worker.fetch(A, B, LOG) == {B, LOG}
    assert worker.client.asked == [A]
    assert worker.reader.reason() is None

    worker.client.answers.set()
    await worker.fetch(B)
    await worker.fetch(B)
    assert "appointments[0] stands at 7" in str(worker.reader.reason())


async def test_what_is_read_again_of_a_partition_that_went_and_came_back_meanwhile_counts_for_nothing() -> None:
    worker, batch = Worker(Client(A)), _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 1 << 20)
    batch.append(7, None, b"key", b"value", [])
    worker.client.raw = bytes(batch.build())
    worker.client.answers.clear()
    assert await worker.fetch(A, B) == {B}

    worker.reader.forget([A])
    worker.client.answers.set()
    for _ in range(3):
        assert await worker.fetch(B) == {B}

    assert worker.client.sought == []
