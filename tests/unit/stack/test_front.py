"""The front hands a connection to a service by its name: in turn where several run, to one that answers, whole."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from stack.front import Front, LookUp, Way, look_up

type Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve, address: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Serve for the length of the block, and give the port."""
    server = await asyncio.start_server(serve, address, port)
    yield server.sockets[0].getsockname()[1]
    server.close()


@asynccontextmanager
async def front(*ways: Way, look_up: LookUp = look_up) -> AsyncIterator[list[int]]:
    """Hand on for the length of the block, and give the ports."""
    opened = Front(ways, "127.0.0.1", look_up)
    yield await opened.open()
    opened.close()


async def said(port: int, words: bytes) -> bytes:
    """Say the words, say that this is all, and return all that is answered: nothing by a connection that is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    with suppress(ConnectionError):
        writer.write(words)
        writer.write_eof()
        answer = await reader.read()
    writer.close()
    return answer


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what was said, once all of it was."""
    writer.write(await reader.read())
    writer.close()


@pytest.mark.parametrize("size", [0, 1, 65_536, 3_000_000])
async def test_what_is_said_and_what_is_answered_comes_whole(size: int) -> None:
    async with listening(echo) as there, front(Way(0, "localhost", there)) as (here,):
        assert await said(here, b"x" * size) == b"x" * size


async def test_each_port_leads_to_its_own_service() -> None:
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.write(b"other")
        writer.close()

    async with (
        listening(echo) as one,
        listening(other) as two,
        front(Way(0, "127.0.0.1", one), Way(0, "127.0.0.1", two)) as (first, second),
    ):
        assert (await said(first, b"one"), await said(second, b"one")) == (b"one", b"other")


async def test_of_several_instances_each_gets_its_turn_and_a_dead_one_is_passed_over() -> None:
    asked: list[str] = []

    def named(address: str) -> Serve:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.append(address)
            await echo(reader, writer)

        return serve

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    instances = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]  # nothing listens on the third

    async def look_up(host: str, _: int) -> list[str]:
        return instances if host == "records" else []

    async with (
        listening(named("127.0.0.1"), port=port),
        listening(named("127.0.0.2"), "127.0.0.2", port),
        front(Way(0, "records", port), look_up=look_up) as (here,),
    ):
        for _ in range(6):
            assert await said(here, b"hello") == b"hello"
    assert (asked.count("127.0.0.1"), asked.count("127.0.0.2")) in [(4, 2), (2, 4)]


async def test_a_service_that_is_not_there_cuts_the_connection_and_the_next_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with front(Way(0, "127.0.0.1", port), Way(0, "nobody.invalid", 1)) as ports:
        assert [await said(here, b"hello") for here in ports] == [b"", b""]
        async with listening(echo, port=port):
            assert await said(ports[0], b"hello") == b"hello"


async def test_an_instance_that_dies_cuts_its_connections() -> None:
    async def dies(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with listening(dies) as there, front(Way(0, "127.0.0.1", there)) as (here,):
        assert await said(here, b"hello") == b""


@pytest.mark.parametrize("text", ["8101", "8101=records", "x=records:8080", "8101=records:x", "8101=:8080"])
def test_a_way_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"PORT=HOST:PORT|invalid literal"):
        Way.of(text)


def test_a_way_is_read() -> None:
    assert Way.of("8101=records:8080") == Way(8101, "records", 8080)
