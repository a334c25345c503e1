"""The carriers' transport: as many connections as calls at once, each used again, none lost to a broken call."""

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from notifier.carriers.http_client import new_client

ANSWER = b"HTTP/1.1 200 OK\r\nSet-Cookie: session=of-one-account; Path=/\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Answers a request when told to, and counts connections."""

    def __init__(self) -> None:
        self.connections = 0
        self.asked = asyncio.Semaphore(0)
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.breaks = False
        self.port = 0
        self.heads: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.connections += 1
        while await reader.readline():
            self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.release()
            await self.may_answer.wait()
            if self.breaks:
                break
            writer.write(ANSWER)
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    """Give a server on a port of its own."""
    given = Server()
    listening = await asyncio.start_server(given.serve, "127.0.0.1", 0)
    async with listening:
        given.port = listening.sockets[0].getsockname()[1]
        yield given


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client for at most two calls at once."""
    async with new_client(f"http://127.0.0.1:{server.port}", 5.0, 2) as made:
        yield made


async def test_calls_one_after_the_other_share_a_connection(server: Server, client: httpx2.AsyncClient) -> None:
    for _ in range(5):
        assert (await client.get("/")).json() == {}

    assert server.connections == 1


async def test_what_an_answer_to_one_account_set_goes_out_with_no_other(
    server: Server, client: httpx2.AsyncClient
) -> None:
    for _ in range(3):
        await client.send(client.build_request("POST", "/"))

    assert [b"cookie" in head.lower() for head in server.heads] == [False] * 3
    assert not client.cookies


async def test_calls_at_once_have_a_connection_each_and_one_too_many_has_not_left(
    server: Server, client: httpx2.AsyncClient
) -> None:
    server.may_answer.clear()
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(client.get("/")) for _ in range(2)]
        for _ in calls:
            await server.asked.acquire()
        with pytest.raises(httpx2.PoolTimeout):
            await client.get("/")
        server.may_answer.set()

    assert server.connections == 2
    assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize("how", ["broken", "given up"])
async def test_a_call_that_fails_frees_its_place(server: Server, client: httpx2.AsyncClient, how: str) -> None:
    for _ in range(4):
        server.breaks = how == "broken"
        server.may_answer.clear()
        call = asyncio.create_task(client.get("/"))
        await server.asked.acquire()
        if how == "broken":
            server.may_answer.set()
            with pytest.raises(httpx2.HTTPError):
                await call
        else:
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    server.breaks = False
    server.may_answer.set()
    assert (await client.get("/")).status_code == 200
