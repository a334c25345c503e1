"""One look at the database serves every open inbox stream of a process (R20)."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest

from chassis.api.problems import Problem
from chassis.process.errors import Unavailable
from notifier.inbox.streams import Stream, Streams


class Inboxes:
    """What the database would say, and how often it was asked."""

    def __init__(self) -> None:
        self.numbers: dict[UUID, int] = {}
        self.tokens: set[bytes] = set()
        self.looks: list[int] = []
        self.asked: list[int] = []
        self.away = 0

    async def newest(self, providers: Collection[UUID]) -> Mapping[UUID, int]:
        self.looks.append(len(providers))
        if self.away:
            self.away -= 1
            raise Unavailable("DATABASE_UNAVAILABLE", "gone")
        return {one: self.numbers[one] for one in providers if one in self.numbers}

    async def standing(self, tokens: Collection[bytes]) -> Collection[bytes]:
        self.asked.append(len(tokens))
        return self.tokens.intersection(tokens)


@pytest.fixture
def inboxes() -> Inboxes:
    return Inboxes()


@pytest.fixture
def streams(inboxes: Inboxes) -> Streams:
    return Streams(inboxes.newest, inboxes.standing, most=300)


async def woken(stream: Stream, stop: asyncio.Event) -> int:
    await stream.wait(stop)
    return stream.newest


async def test_300_idle_streams_cost_one_look(streams: Streams, inboxes: Inboxes) -> None:
    providers = [uuid4() for _ in range(100)]
    inboxes.tokens = {bytes([n]) for n in range(100)}
    with ExitStack() as opened:
        for n in range(300):
            opened.enter_context(streams.open(providers[n % 100], bytes([n % 100])))

        await streams.look()

    assert (inboxes.looks, inboxes.asked) == ([100], [100])


async def test_a_notice_wakes_the_streams_of_its_provider_alone(streams: Streams, inboxes: Inboxes) -> None:
    one, other, stop = uuid4(), uuid4(), asyncio.Event()
    with streams.open(one, None) as first, streams.open(one, None) as second, streams.open(other, None) as third:
        await streams.look()
        for stream in (first, second, third):
            await stream.wait(stop)  # the first look says where it stands
        inboxes.numbers[one] = 7
        asleep = asyncio.create_task(woken(third, stop))

        await streams.look()

        assert [await woken(first, stop), await woken(second, stop)] == [7, 7]
        assert not asleep.done()
        asleep.cancel()


async def test_a_stream_ends_when_its_token_is_revoked_and_others_go_on(inboxes: Inboxes) -> None:
    streams, provider, stop = Streams(inboxes.newest, inboxes.standing, ask_again_s=0), uuid4(), asyncio.Event()
    inboxes.tokens = {b"kept", b"gone"}
    with (
        streams.open(provider, b"kept") as kept,
        streams.open(provider, b"gone") as gone,
        streams.open(provider, None) as operators,
    ):
        await streams.look()
        await gone.wait(stop)  # the first look says where it stands
        inboxes.tokens.remove(b"gone")
        await streams.look()
        await gone.wait(stop)

        assert [stream.ended for stream in (kept, gone, operators)] == [False, True, False]


async def test_a_ring_is_looked_after_and_an_absent_database_is_waited_for(streams: Streams, inboxes: Inboxes) -> None:
    provider, stop = uuid4(), asyncio.Event()
    inboxes.away = 1
    with streams.open(provider, None) as stream:
        running = asyncio.create_task(streams.run(stop))
        inboxes.numbers[provider] = 1
        streams.ring()

        assert await woken(stream, stop) == 1
        stop.set()
        await running


async def test_one_stream_too_many_is_told_to_ask_for_pages(streams: Streams) -> None:
    with ExitStack() as opened:
        for _ in range(300):
            streams.admit()
            opened.enter_context(streams.open(uuid4(), None))
        with pytest.raises(Problem) as refused:
            streams.admit()
        assert (refused.value.status, refused.value.code) == (503, "TOO_MANY_STREAMS")
    streams.admit()
