"""Real local carriers that misbehave on command and log what they accepted: SMTP, and Twilio's and Meta's HTTP.

Every message is written to the log *before* its answer, so the log is the truth about what was accepted.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from stack.ports import LOOPBACK, free_port
from tests.support.carriers import http, smtp
from tests.support.carriers.log import Desk

LONGEST = 1 << 20
type Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Carriers(Desk):
    """All carriers of a test, with one acceptance log.

    Attributes:
        smtp_port: Where mail is taken.
        http_port: Where SMS and WhatsApp messages are taken.
    """

    def __init__(self) -> None:
        super().__init__()
        self.smtp_port, self.http_port = free_port(), free_port()
        self._servers: dict[int, asyncio.Server] = {}
        self._open: dict[asyncio.StreamWriter, int] = {}

    async def listen(self, *ports: int) -> None:
        """Take connections at these ports, or at both."""
        for port in ports or (self.smtp_port, self.http_port):
            if port not in self._servers:
                speak = self._smtp if port == self.smtp_port else self._http
                handler = self._kept(port, speak)
                self._servers[port] = await asyncio.start_server(handler, LOOPBACK, port, limit=LONGEST)

    def refuse(self, *ports: int) -> None:
        """Refuse connections at these ports, or at both, and break off those that are open."""
        for port in ports or tuple(self._servers):
            if server := self._servers.pop(port, None):
                server.close()
            for writer in [writer for writer, at in self._open.items() if at == port]:
                writer.transport.abort()

    async def close(self) -> None:
        """Take no more connections, and wait until the sockets of those that were open are closed."""
        servers = tuple(self._servers.values())
        self.release()
        self.refuse()
        for server in servers:
            await server.wait_closed()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await http.converse(self, reader, writer)

    async def _smtp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await smtp.Conversation(self, reader, writer).run()

    def _kept(self, port: int, speak: Converse) -> Converse:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open[writer] = port
            try:
                await speak(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
                return  # the client is gone, or speaks no such language
            finally:
                del self._open[writer]
                writer.close()

        return handler


@asynccontextmanager
async def carriers() -> AsyncIterator[Carriers]:
    """Run the carriers for the block."""
    made = Carriers()
    await made.listen()
    try:
        yield made
    finally:
        await made.close()
