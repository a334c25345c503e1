"""The server of every API: uvicorn, with bounds on connections and on how long a caller may take.

uvicorn's own bounds begin after the first answer: a caller that drips its headers or its body, or sends nothing at
all, holds a connection for ever; and its parser keeps headers of any length.
"""

import asyncio
import contextlib
import errno
import functools
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from chassis.api.door import SAFE_HEADERS, busy
from chassis.api.problems import Problem
from chassis.process.errors import Misconfigured

LAST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class Patience:
    """What one server bears.

    Attributes:
        connections: Open at most, those of streams included; one more is answered 503 and closed. A process has
            1,024 files at least.
        read_s: From a connection's start, or a request's first byte, until the request is read whole.
        write_s: How long a caller may leave an answer unread.
        idle_s: How long a connection stays open after an answer. It is longer than callers and load balancers keep
            one (httpx 5 s, Java's client 30 s, AWS' balancer 60 s), so that they let go first: who ends a connection
            while the other writes the next request leaves that request without an answer.
        head: Bytes held of headers that do not end; `door.Bounds.head` is the exact bound.
    """

    connections: int = 850
    read_s: float = 10.0
    write_s: float = 30.0
    idle_s: int = 75
    head: int = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """A connection that ends when its caller takes too long or too much."""

    def __init__(self, patience: Patience, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = patience
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._head: int | None = 0  # bytes of headers read so far; None while a body is read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        if len(self.connections) > self._patience.connections:
            self._refuse(busy())
        else:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was waited for."""
        self._expect_no_more()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; headers without end are refused."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > self._patience.head and not self.transport.is_closing():
            self._refuse(Problem(431, "HEADERS_TOO_LARGE", "The headers do not end."))

    def on_message_begin(self) -> None:
        """Begin the time of a request."""
        super().on_message_begin()
        if self._reading is None:
            self._expect()

    def on_headers_complete(self) -> None:
        """Hand the request over."""
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the time of a request."""
        self._head = 0
        self._expect_no_more()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """Wait for the caller to read, but not for ever."""
        super().pause_writing()
        self._writing = self.loop.call_later(self._patience.write_s, self.transport.abort)

    def resume_writing(self) -> None:
        """Write on."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        super().resume_writing()

    def _expect(self) -> None:
        self._reading = self.loop.call_later(self._patience.read_s, self._give_up)

    def _expect_no_more(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _give_up(self) -> None:
        self._reading = None
        if self.cycle is not None and not self.cycle.response_complete and self.cycle.response_started:
            self.transport.abort()
        elif not self.transport.is_closing():
            self._refuse(Problem(408, "TOO_SLOW", f"A request is sent within {self._patience.read_s:g} s."))

    def _refuse(self, problem: Problem) -> None:
        """Answer without the application, and end the connection."""
        answered = self.cycle is not None and self.cycle.response_complete and self._head is None
        if not answered:  # else what is not read yet is the rest of a request that has its answer
            response = problem.response()
            headers = [*response.raw_headers, *SAFE_HEADERS, (b"connection", b"close")]
            lines = [STATUS_LINE[problem.status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n"]
            self.transport.write(b"".join([*lines, bytes(response.body)]))
        self.transport.close()


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the process's own lifecycle takes the signals


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket."""
    try:
        if not 0 <= port <= LAST_PORT:
            raise OSError(errno.EINVAL, "no such port")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=2048)
        # asyncio leaves this to whoever names the protocol: an answer's body would wait 40 ms for its head's receipt
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listening
    except OSError as error:
        told = f"port {port} of {host} cannot be listened on: {error.strerror}"
        raise Misconfigured(f"{told}; end what has it, or set another") from None


async def serve(app: FastAPI, host: str, port: int, stop: asyncio.Event, patience: Patience = Patience()) -> None:
    """Serve until `stop` is set, then let requests under way finish (5 s at most)."""
    listening = bind(host, port)
    protocol = cast("type[asyncio.Protocol]", functools.partial(BoundedProtocol, patience))
    server = _Server(
        uvicorn.Config(
            app, http=protocol, ws="none", log_config=None, access_log=False, lifespan="off",
            timeout_graceful_shutdown=5, timeout_keep_alive=patience.idle_s, server_header=False,
        )
    )  # fmt: skip
    serving = asyncio.create_task(server.serve([listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopping.cancel()
    await serving
