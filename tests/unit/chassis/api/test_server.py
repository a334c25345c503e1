"""A caller that takes too long, or too much, loses its connection; nobody else notices."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson
import pytest
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from chassis.api.app import create_api
from chassis.api.door import Bounds
from chassis.api.server import Patience, bind, serve
from chassis.process.errors import Misconfigured

HEAD = b"POST /things HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
KEY = b"Authorization: Bearer the-key\r\n"
MB = 1 << 20


class Body(BaseModel):
    values: list[object]


async def admit(key: str, _method: str, _path: str) -> bool:
    return key == "the-key"


def shop() -> FastAPI:
    api = create_api("Shop", admit=admit, bounds=Bounds(body=1_000))

    @api.post("/things")
    async def things(body: Body) -> int:
        return len(body.values)

    @api.get("/long")
    async def long() -> int:
        await asyncio.sleep(0.6)
        return 1

    @api.get("/much")
    async def much(_request: Request) -> Response:
        return Response(b"x" * (32 * MB))

    return api


class Caller:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def answer(self) -> tuple[int, dict[str, object]]:
        """Return status and body of the next answer."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        body = await self.reader.readexactly(int(lengths[0].split(b":")[1]))
        told = orjson.loads(body)
        return int(head.split()[1]), told if isinstance(told, dict) else {"told": told}

    async def ended(self) -> bool:
        """Wait until the server ends the connection."""
        with suppress(ConnectionError):
            while await self.reader.read(65_536):
                pass
        return True


@asynccontextmanager
async def serving(**patience: float) -> AsyncIterator[int]:
    """Serve a shop on a port."""
    with bind("127.0.0.1", 0) as probe:
        port: int = probe.getsockname()[1]
    stop = asyncio.Event()
    told = Patience(**patience)  # type: ignore[arg-type]  # whole numbers where they are meant
    task = asyncio.create_task(serve(shop(), "127.0.0.1", port, stop, told))
    try:
        while True:
            with suppress(ConnectionError):
                (await asyncio.open_connection("127.0.0.1", port))[1].close()
                break
            await asyncio.sleep(0)
        yield port
    finally:
        stop.set()
        await task


@asynccontextmanager
async def caller(port: int, limit: int = 65_536) -> AsyncIterator[Caller]:
    """Open a connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=limit)
    try:
        yield Caller(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def longest_pause(stop: asyncio.Event) -> float:
    worst = 0.0
    while not stop.is_set():
        began = time.monotonic()
        await asyncio.sleep(0.005)
        worst = max(worst, time.monotonic() - began - 0.005)
    return worst


async def test_28_mb_of_brackets_without_a_key_cost_nothing() -> None:
    body = b"[" + b"[]," * (28 * MB // 3) + b"[]]"
    async with serving() as port, caller(port) as stranger:
        before, done = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, asyncio.Event()
        watching = asyncio.create_task(longest_pause(done))

        stranger.writer.write(HEAD + b"Content-Length: %d\r\n\r\n" % len(body))
        status, problem = await stranger.answer()  # before a byte of the body is sent
        sending = memoryview(body)
        for start in range(0, len(body), 65_536):
            stranger.writer.write(sending[start : start + 65_536])
            await stranger.writer.drain()
        done.set()

        assert (status, problem["code"]) == (401, "NO_KEY")
        assert await watching < 0.5
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024  # KiB
        stranger.writer.write(HEAD + KEY + b"Content-Length: 13\r\n\r\n" + b'{"values":[]}')
        assert await stranger.answer() == (200, {"told": 0})


@pytest.mark.parametrize("key", [b"", KEY])
async def test_a_body_that_drips_ends_at_the_bound(key: bytes) -> None:
    async with serving(read_s=0.3) as port, caller(port) as slow:
        slow.writer.write(HEAD + key + b"Content-Length: 900\r\n\r\n")
        began = time.monotonic()
        dripping = asyncio.create_task(_drip(slow.writer, b" "))
        status, _ = await slow.answer()

        assert status == (408 if key else 401)
        assert await slow.ended()
        assert time.monotonic() - began < 5
        dripping.cancel()


async def test_headers_that_drip_end_at_the_bound_on_a_used_connection_too() -> None:
    async with serving(read_s=0.3) as port:
        for used in (False, True):
            async with caller(port) as slow:
                if used:
                    slow.writer.write(HEAD + KEY + b"Content-Length: 13\r\n\r\n" + b'{"values":[]}')
                    assert (await slow.answer())[0] == 200
                slow.writer.write(HEAD)
                dripping = asyncio.create_task(_drip(slow.writer, b"X-A: b\r\n"))

                assert (await slow.answer())[1]["code"] == "TOO_SLOW"
                assert await slow.ended()
                dripping.cancel()


async def test_the_bound_is_on_the_request_and_not_on_the_answer() -> None:
    async with serving(read_s=0.2) as port, caller(port) as patient:
        patient.writer.write(b"GET /long HTTP/1.1\r\nHost: shop\r\n" + KEY + b"\r\n")

        assert await patient.answer() == (200, {"told": 1})


async def test_a_connection_that_says_nothing_ends() -> None:
    async with serving(read_s=0.2) as port, caller(port) as silent:
        assert (await silent.answer())[0] == 408
        assert await silent.ended()


async def test_a_connection_between_two_requests_outlives_what_callers_and_balancers_keep() -> None:
    post = HEAD + KEY + b"Content-Length: 13\r\n\r\n" + b'{"values":[]}'
    async with serving(idle_s=1) as port, caller(port) as brief:
        brief.writer.write(post)
        assert (await brief.answer())[0] == 200
        async with asyncio.timeout(4):  # so the bound is this one and not uvicorn's own of 5 s
            assert await brief.ended()
    assert Patience().idle_s > 60  # AWS' load balancer lets go after 60 s, HTTP clients sooner


async def test_headers_without_end_are_refused() -> None:
    async with serving(head=4_096) as port, caller(port) as endless:
        endless.writer.write(HEAD + b"X-Long: " + b"x" * 8_192)

        assert (await endless.answer())[1]["code"] == "HEADERS_TOO_LARGE"
        assert await endless.ended()


async def test_chunks_are_read_no_further_than_the_bound() -> None:
    async with serving() as port, caller(port) as endless:
        endless.writer.write(HEAD + KEY + b"Transfer-Encoding: chunked\r\n\r\n")
        endless.writer.write((b"400\r\n" + b" " * 1024 + b"\r\n") * 4)

        assert (await endless.answer())[1]["code"] == "BODY_TOO_LARGE"


async def test_one_connection_too_many_is_told_so_and_a_place_that_is_left_is_taken() -> None:
    async with serving(connections=2) as port, caller(port) as first:
        first.writer.write(HEAD + KEY + b"Content-Length: 13\r\n\r\n" + b'{"values":[]}')
        assert (await first.answer())[0] == 200
        async with caller(port), caller(port) as third:
            assert await third.answer() == (503, _busy())
            assert await third.ended()
        while True:
            async with caller(port) as fourth:
                fourth.writer.write(HEAD + KEY + b"Content-Length: 13\r\n\r\n" + b'{"values":[]}')
                if (await fourth.answer())[0] == 200:
                    break


async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with serving(write_s=0.2) as port, caller(port, limit=1) as deaf:
        deaf.writer.write(b"GET /much HTTP/1.1\r\nHost: shop\r\n" + KEY + b"\r\n")
        await deaf.reader.read(1)

        async def broken() -> None:
            while True:
                deaf.writer.write(b"x")
                await deaf.writer.drain()
                await asyncio.sleep(0.01)

        with pytest.raises(ConnectionError):
            async with asyncio.timeout(5):
                await broken()


async def test_a_port_that_is_anothers_is_named() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"port {port} of 127.0.0.1 cannot be listened on"):
            await serve(shop(), "127.0.0.1", port, asyncio.Event())


def test_a_port_that_is_none_is_named() -> None:
    for host, port in (("127.0.0.1", 70_000), ("192.0.2.1", 8100)):
        with pytest.raises(Misconfigured, match=f"port {port} of {host}"):
            bind(host, port)


async def _drip(writer: asyncio.StreamWriter, what: bytes) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(what)
            await writer.drain()
            await asyncio.sleep(0.05)


def _busy() -> dict[str, object]:
    return {
        "type": "about:blank",
        "title": "Busy",
        "status": 503,
        "code": "BUSY",
        "detail": "Too much is under way. Send the same request again.",
    }


def test_an_answers_body_does_not_wait_for_the_receipt_of_its_head() -> None:
    with bind("127.0.0.1", 0) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
