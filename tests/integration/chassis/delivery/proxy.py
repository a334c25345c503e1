"""A TCP proxy before PostgreSQL that can swallow a COMMIT, or let it arrive after the client has given up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

COMMIT = b"COMMIT;"


class Proxy:
    """Forwards everything, until told what to do with the next COMMIT.

    Attributes:
        url: PostgreSQL's address through the proxy.
        cut: Set when a COMMIT was held and its client's connection cut.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._server = (parts.hostname, parts.port)
        self._parts = parts
        self._armed = False
        self._release = asyncio.Event()
        self._handlers: set[asyncio.Task[None]] = set()
        self.cut = asyncio.Event()
        self.url = ""

    def cut_next_commit(self) -> None:
        """Cut the client's connection at its next COMMIT, and keep the COMMIT back until `let_it_arrive`."""
        self._armed = True
        self._release.clear()
        self.cut.clear()

    def let_it_arrive(self) -> None:
        """Send the COMMIT that was kept back to the server."""
        self._release.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Proxy"]:
        listener = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        port = listener.sockets[0].getsockname()[1]
        login = self._parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._parts._replace(netloc=f"{login}@127.0.0.1:{port}"))
        try:
            yield self
        finally:
            listener.close()
            self._release.set()
            for handler in self._handlers:
                handler.cancel()
            await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._handlers.add(task)
        upstream, downstream = await asyncio.open_connection(*self._server)
        back = asyncio.create_task(_copy(upstream, writer))
        try:
            while data := await reader.read(1 << 16):
                if self._armed and COMMIT in data:
                    self._armed = False
                    back.cancel()
                    writer.transport.abort()
                    self.cut.set()
                    await self._release.wait()
                    downstream.write(data)
                    await downstream.drain()
                    await upstream.read(1 << 16)  # the server has committed when it answers
                    return
                downstream.write(data)
                await downstream.drain()
        except OSError:
            pass
        finally:
            back.cancel()
            downstream.close()
            writer.close()
            self._handlers.discard(task)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
