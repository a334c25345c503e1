"""A TCP proxy between a lane and PostgreSQL that stops a chosen transaction at its COMMIT, or the answer to it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto
from urllib.parse import urlsplit, urlunsplit

from stack.ports import LOOPBACK

COMMIT = b"COMMIT;"
CLAIM = b"INSERT INTO attempt"
ANSWER = b"UPDATE attempt"
"""By these words of its statements a claim is known, and the transaction that writes answers down."""


class At(Enum):
    """Where a transaction is stopped: before the server has its COMMIT, or when the server has answered it."""

    COMMIT = auto()
    COMMITTED = auto()


class DatabaseProxy:
    """Forwards everything, until the transaction it was told to stop comes by.

    Attributes:
        url: PostgreSQL's address through the proxy.
        reached: Set when the transaction has been stopped.
    """

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._words: bytes | None = None
        self._at = At.COMMIT
        self._lost = False
        self._going_on = asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()
        self.reached = asyncio.Event()
        self.url = ""

    def stop(self, words: bytes, at: At) -> None:
        """Stop the next transaction that says these words."""
        self._words, self._at = words, at
        self.reached.clear()
        self._going_on.clear()

    def go_on(self, *, lost: bool = False) -> None:
        """Let what was stopped go on, or be lost with its connection."""
        self._words, self._lost = None, lost
        self._going_on.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["DatabaseProxy"]:
        """Take connections for the block."""
        listener = await asyncio.start_server(self._accepted, LOOPBACK, 0)
        login = self._parts.netloc.rpartition("@")[0]
        port = listener.sockets[0].getsockname()[1]
        self.url = urlunsplit(self._parts._replace(netloc=f"{login}@{LOOPBACK}:{port}"))
        try:
            yield self
        finally:
            listener.close()
            self.go_on()
            for handler in self._handlers:
                handler.cancel()
            await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        try:
            upstream, downstream = await asyncio.open_connection(self._parts.hostname, self._parts.port)
            flowing = asyncio.Event()
            flowing.set()
            back = asyncio.create_task(_copy(upstream, writer, flowing))
            try:
                await self._forward(reader, downstream, flowing)
            finally:
                back.cancel()
                downstream.close()
        except OSError:
            return
        finally:
            writer.close()
            self._handlers.discard(task)

    async def _forward(
        self, reader: asyncio.StreamReader, downstream: asyncio.StreamWriter, flowing: asyncio.Event
    ) -> None:
        """Copy what a client says; `flowing` lets the server's answers through."""
        chosen = False
        while said := await reader.read(1 << 16):
            chosen = chosen or bool(self._words and self._words in said)
            stopped = chosen and COMMIT in said and self._words is not None
            if stopped:
                chosen, self._words = False, None
                if self._at is At.COMMITTED:
                    flowing.clear()
                else:
                    self.reached.set()
                    await self._going_on.wait()
                    if self._lost:
                        return
            downstream.write(said)
            await downstream.drain()
            if stopped and self._at is At.COMMITTED:
                self.reached.set()
                await self._going_on.wait()
                flowing.set()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flowing: asyncio.Event) -> None:
    with contextlib.suppress(OSError):
        while said := await reader.read(1 << 16):
            await flowing.wait()
            writer.write(said)
            await writer.drain()
    writer.close()
