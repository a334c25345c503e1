"""What was fetched is taken partition by partition, within a bound; what cannot be read holds up no other (0019)."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from chassis.kafka import fetch
from chassis.kafka.fetch import Fetched, Unread
from chassis.kafka.unpacked_size import MOST_BYTES

A, B, C = (TopicPartition("t", number) for number in range(3))
MANY = 1_000


def records(*offsets: int, **content: Any) -> list[ConsumerRecord[bytes, bytes]]:
    given = {"key": None, "value": b"", "headers": (), **content}
    return [
        ConsumerRecord("t", 0, at, 0, 0, given["key"], given["value"], None, 0, 0, given["headers"]) for at in offsets
    ]


class Batches:
    """Records of one partition as aiokafka unpacks them, and what it raises behind them."""

    def __init__(self, held: Sequence[ConsumerRecord[bytes, bytes]], raised: Exception | None) -> None:
        self._held, self._raised, self.next_fetch_offset = iter(held), raised, 0

    def __iter__(self) -> Iterator[ConsumerRecord[bytes, bytes]]:
        return self

    def __next__(self) -> ConsumerRecord[bytes, bytes]:
        try:
            found = next(self._held)
        except StopIteration:
            if self._raised is not None:
                raise self._raised from None
            raise
        self.next_fetch_offset = found.offset + 1
        return found


class Client:
    """An aiokafka consumer that has fetched; `come` lets more come while a fetch waits."""

    def __init__(self) -> None:
        self.held: dict[TopicPartition, Any] = {}
        self.told = 0
        self.group: Exception | None = None
        self.waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._coordinator = SimpleNamespace(check_errors=self._check)
        self._subscription = SimpleNamespace(reassignment_in_progress=False, fetch_context=self._context)
        self._fetcher = SimpleNamespace(
            _records=self.held,
            _create_fetch_waiter=lambda: self.waiter,
            _notify=self._notify,
            _wait_consume_future=None,
        )

    def _check(self) -> None:
        if self.group is not None:
            raise self.group

    def _notify(self, _future: object) -> None:
        self.told += 1

    @contextmanager
    def _context(self) -> Iterator[None]:
        yield

    def hold(
        self,
        tp: TopicPartition,
        *held: ConsumerRecord[bytes, bytes],
        raised: Exception | None = None,
        ours: bool = True,
    ) -> None:
        """Have fetched these of a partition, assigned to us still or not."""
        self.held[tp] = SimpleNamespace(
            _partition_records=Batches(held, raised), check_assignment=lambda _tp: ours, _update_position=lambda: None
        )

    def refuse(self, tp: TopicPartition, error: Exception) -> None:
        """Have been told by the broker that it gives nothing of a partition."""
        self.held[tp] = SimpleNamespace(_error=error)

    async def fetch(self, *partitions: TopicPartition, most: int = MANY, timeout_s: float = 0) -> Fetched:
        client: Any = self
        return await fetch.fetch(client, partitions, timeout_s, most)


async def test_what_cannot_be_read_of_one_partition_is_told_with_its_place_and_keeps_none_of_the_others() -> None:
    client, torn = Client(), ValueError()
    client.hold(A, *records(1))
    client.hold(B, raised=torn)
    client.hold(C, *records(5))

    found = await client.fetch(A, B, C)

    assert {tp: [one.offset for one in got] for tp, got in found.records.items()} == {A: [1], C: [5]}
    assert found.unread == {B: Unread(0, torn)}
    assert client.held == {}
    assert client.told == 3


async def test_what_was_read_before_it_is_given_first_and_the_next_fetch_begins_at_it() -> None:
    client = Client()
    client.hold(A, *records(1, 2), raised=ValueError())

    found = await client.fetch(A)

    assert ([one.offset for one in found.records[A]], found.unread, client.held) == ([1, 2], {}, {})


async def test_what_the_broker_refuses_of_one_partition_is_told_and_keeps_none_of_the_others() -> None:
    client, refusal = Client(), TopicAuthorizationFailedError()
    client.refuse(A, refusal)
    client.hold(B, *records(3))

    found = await client.fetch(A, B)

    assert (list(found.records), found.unread, client.held) == ([B], {A: Unread(None, refusal)}, {})


async def test_what_is_refused_behind_the_bound_is_told_by_the_next_fetch_and_once() -> None:
    client = Client()
    client.hold(A, *records(1))
    client.refuse(B, TopicAuthorizationFailedError())

    told = [(await client.fetch(A, B, most=1)).unread.keys() for _ in range(3)]

    assert [list(each) for each in told] == [[], [B], []]


@pytest.mark.parametrize(
    ("most", "given"), [(3, {A: [1, 2], B: [7]}), (2, {A: [1, 2]}), (1, {A: [1]}), (4, {A: [1, 2], B: [7, 8]})]
)
async def test_all_partitions_together_give_so_many_records_and_keep_the_rest(
    most: int, given: dict[TopicPartition, list[int]]
) -> None:
    client = Client()
    client.hold(A, *records(1, 2))
    client.hold(B, *records(7, 8))

    found, after = await client.fetch(A, B, most=most), await client.fetch(A, B)

    assert {tp: [one.offset for one in got] for tp, got in found.records.items()} == given
    rest = [one.offset for got in after.records.values() for one in got]
    assert [*(at for got in given.values() for at in got), *rest] == [1, 2, 7, 8]


HALF = MOST_BYTES // 2


@pytest.mark.parametrize(
    "large",
    [
        {"key": bytes(HALF)}, {"value": bytes(HALF)}, {"headers": [("h", bytes(HALF))]},
        {"headers": [("h" * HALF, b"")]}, {"headers": [("h" * HALF, None)]},
        {"key": bytes(HALF // 2), "value": bytes(HALF // 2)},
    ],
    ids=["key", "value", "header", "header's name", "header of nothing", "both"],
)  # fmt: skip
async def test_all_partitions_together_give_no_more_once_they_hold_the_bytes_of_one_batch(
    large: dict[str, Any],
) -> None:
    client = Client()
    client.hold(A, *records(1, **large))
    client.hold(B, *records(2, 3, 4, **large))
    client.hold(C, *records(5))

    found = await client.fetch(A, B, C)

    assert {tp: [one.offset for one in got] for tp, got in found.records.items()} == {A: [1], B: [2]}
    assert [one.offset for got in (await client.fetch(A, B)).records.values() for one in got] == [3, 4]


async def test_partitions_that_are_not_asked_for_keep_what_was_fetched_of_them() -> None:
    client = Client()
    client.hold(A, *records(1))
    client.hold(B, *records(2))

    assert list((await client.fetch(B)).records) == [B]
    assert list((await client.fetch(A)).records) == [A]


async def test_what_was_fetched_for_an_assignment_that_is_over_is_let_go() -> None:
    client = Client()
    client.hold(A, *records(1), ours=False)

    assert await client.fetch(A) == Fetched()
    assert client.held == {}


async def test_while_partitions_are_assigned_anew_nothing_is_taken_and_nothing_lost() -> None:
    client = Client()
    client.hold(A, *records(1))
    client._subscription.reassignment_in_progress = True

    assert await client.fetch(A) == Fetched()
    client._subscription.reassignment_in_progress = False
    assert list((await client.fetch(A)).records) == [A]


def _before(client: Client, error: Exception) -> None:
    client.group = error


def _meanwhile(client: Client, error: Exception) -> None:
    client.waiter.set_exception(error)


@pytest.mark.parametrize("when", [_before, _meanwhile])
async def test_an_error_of_the_group_is_raised_though_no_partition_is_asked_for(
    when: Callable[[Client, Exception], None],
) -> None:
    client = Client()
    when(client, GroupAuthorizationFailedError("g"))

    with pytest.raises(KafkaError):
        await client.fetch(timeout_s=5)


async def test_what_comes_while_a_fetch_waits_is_given() -> None:
    client = Client()
    waiting = asyncio.ensure_future(client.fetch(A, timeout_s=30))
    await asyncio.sleep(0)
    client.hold(A, *records(1))
    client.waiter.set_result(None)

    assert list((await waiting).records) == [A]
