"""What the consumer hands on and nobody has acknowledged is bounded by its bytes, not only by its number."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from faust.types import TP, Message

from reminders.timers.app import add_table, build
from reminders.timers.consumer import CHUNK, IN_HAND, IN_HAND_BYTES, AwaitedConsumer
from reminders.timers.thread import HasSourceReader

MIB = 1 << 20
SOURCE = TP("appointments", 0)
PASSED = 160
"""Where a person let reading of `SOURCE` go on."""


class Line:
    """A consumer that was never connected, and what it handed on: in hand until it is acknowledged."""

    def __init__(self) -> None:
        app = build("group", "nowhere:1", 2)
        add_table(app, "timers", 2)
        self.handed_on: list[Message] = []
        self.consumer = AwaitedConsumer(
            app.transport,
            callback=self._take,
            on_partitions_revoked=lambda _: None,
            on_partitions_assigned=lambda _: None,
            loop=asyncio.get_running_loop(),
        )
        self._offset = 0
        self._one_after_the_other = asyncio.Lock()

    async def _take(self, message: Message) -> None:
        self.consumer.track_message(message)
        self.handed_on.append(message)

    def hand_on(self, *values: bytes, tp: TP = SOURCE, **parts: Any) -> asyncio.Future[None]:
        """Hand on one batch of records with these values."""
        records = [self._record(tp, value, **parts) for value in values]
        return asyncio.ensure_future(self._hand_on(tp, records))

    async def _hand_on(self, tp: TP, records: list[ConsumerRecord[bytes, bytes]]) -> None:
        async with self._one_after_the_other:
            await self.consumer._hand_on(tp, records, None, self.consumer.app.consumer_generation_id)

    def _record(
        self, tp: TP, value: bytes, key: bytes = b"", headers: tuple[tuple[str, bytes], ...] = ()
    ) -> ConsumerRecord[bytes, bytes]:
        self._offset += 1
        return ConsumerRecord(
            tp.topic, tp.partition, self._offset, 0, 0, key, value, None, len(key), len(value), headers
        )

    async def hand_on_and_pass(self, *values: bytes) -> None:
        """Hand on what was fetched, behind which reading was let go on from `PASSED`."""
        await self.hand_on(*values)
        self.consumer._fetched[SOURCE] = self._offset + 1
        self.passed[TopicPartition(*SOURCE)] = PASSED

    @property
    def passed(self) -> dict[TopicPartition, int]:
        return cast(HasSourceReader, self.consumer.app).source_reader.passed

    def committed(self) -> int | None:
        """Return what the next commit would be."""
        self.consumer._commit_passed()
        return self.consumer._new_offset(SOURCE)

    @property
    def in_hand(self) -> list[Message]:
        return [message for message in self.handed_on if not message.acked]


class Sought:
    """The thread that reads, which goes back to these offsets."""

    def __init__(self, committed: dict[TP, int]) -> None:
        self._committed = committed

    async def seek_to_committed(self) -> dict[TP, int]:
        return self._committed

    def assignment(self) -> set[TP]:
        return set(self._committed)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    never_started = line.consumer._thread
    yield line
    never_started.thread_loop.close()


async def turns() -> None:
    for _ in range(200):
        await asyncio.sleep(0)


def large(size: int) -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Return records of that size: in the value, the key, and the headers."""
    return {
        "value": (bytes(size), {}),
        "key": (b"", {"key": bytes(size)}),
        "headers": (b"", {"headers": (("name", bytes(size)),)}),
    }


@pytest.mark.parametrize("part", ["value", "key", "headers"])
async def test_large_messages_wait_until_those_before_them_are_done(line: Line, part: str) -> None:
    value, parts = large(10 * MIB)[part]
    coming = [line.hand_on(value, tp=TP("appointments", number), **parts) for number in range(8)]
    await turns()

    assert len(line.in_hand) == 3, "a fourth would hold more than the bound"
    while line.in_hand:
        assert len(line.in_hand) * 10 * MIB <= IN_HAND_BYTES
        line.consumer.acknowledge(line.in_hand[0])
        await turns()
    await asyncio.gather(*coming)
    assert len(line.handed_on) == 8


@pytest.mark.parametrize(
    "done",
    [
        lambda consumer, message: consumer.acknowledge(message),
        lambda consumer, message: consumer.release(message),
        lambda consumer, message: consumer.acknowledge_before(message, message.offset),
    ],
)
async def test_one_that_is_larger_than_all_that_may_be_in_hand_goes_alone(
    line: Line, done: Callable[[AwaitedConsumer, Message], None]
) -> None:
    small, huge = line.hand_on(b"small"), None
    await turns()
    huge = line.hand_on(bytes(IN_HAND_BYTES + MIB), tp=TP("appointments", 1))
    await turns()
    assert [message.offset for message in line.in_hand] == [1]

    done(line.consumer, line.in_hand[0])
    await turns()
    after = line.hand_on(b"small", tp=TP("appointments", 2))
    await turns()
    assert [message.offset for message in line.in_hand] == [2]

    done(line.consumer, line.in_hand[0])
    await asyncio.gather(small, huge, after)
    assert [message.offset for message in line.in_hand] == [3]


async def test_small_ones_wait_only_for_their_number(line: Line) -> None:
    coming = line.hand_on(*[b"%d" % n for n in range(CHUNK * (IN_HAND + 2))])
    await turns()

    assert len(line.in_hand) == IN_HAND
    for message in line.in_hand:
        line.consumer.acknowledge(message)
    await coming
    assert sum(len(message.value or b"") for message in line.handed_on) == CHUNK * (IN_HAND + 2)


async def test_what_waits_for_room_is_let_go_when_the_partitions_are_taken_away(line: Line) -> None:
    first = line.hand_on(bytes(IN_HAND_BYTES))
    second = line.hand_on(b"second", tp=TP("appointments", 1))
    await turns()
    assert not second.done()

    line.consumer.stop_flow()
    await asyncio.wait_for(asyncio.gather(first, second), 5)
    assert len(line.handed_on) == 1


async def test_what_a_person_passed_over_is_committed_once_all_that_was_fetched_before_is_done(line: Line) -> None:
    await line.hand_on_and_pass(b"one", b"two")
    assert line.committed() is None

    line.consumer.acknowledge(line.in_hand[0])
    assert line.committed() == PASSED


async def test_what_a_person_passed_over_where_nothing_was_fetched_is_committed_at_once(line: Line) -> None:
    line.passed[TopicPartition(*SOURCE)] = PASSED

    assert line.committed() == PASSED
    assert line.passed == {}


@pytest.mark.parametrize(
    ("given_back", "committed"),
    [
        (lambda consumer, message: consumer.release(message), None),
        (lambda consumer, message: consumer.acknowledge_before(message, 2), 2),
    ],
)
async def test_what_was_given_back_undone_is_never_committed_by_what_was_passed_over_behind_it(
    line: Line, given_back: Callable[[AwaitedConsumer, Message], None], committed: int | None
) -> None:
    """When too much is dead the intake gives back what it has in hand: who starts again reads it."""
    await line.hand_on_and_pass(b"one", b"two", b"three")

    given_back(line.consumer, line.in_hand[0])

    assert line.committed() == committed


async def test_what_a_person_passed_over_is_void_once_reading_goes_back_to_what_is_committed(line: Line) -> None:
    """In a rebalance what is in hand is forgotten, and the same partition may be ours again."""
    line.passed[TopicPartition(*SOURCE)] = PASSED
    line.consumer._thread = cast(Any, Sought({SOURCE: 100}))

    await line.consumer.perform_seek()

    assert line.passed == {}
