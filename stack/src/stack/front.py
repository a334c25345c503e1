"""The addresses of an installation in containers: a port of this machine leads to a service, however many of it run.

`python -m stack.front 8101=records:8080 …`. The name is looked up for each connection, so that a service which was
scaled or started again is found; of several instances each gets its turn, and one that does not answer is passed over.
"""

import asyncio
import contextlib
import functools
import itertools
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

CONNECT_S = 2.0
"""For one instance; then the next is tried."""
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Way:
    """From a port here to a service's port.

    Attributes:
        host: The service's name, which may stand for several addresses.
    """

    here: int
    host: str
    port: int

    @classmethod
    def of(cls, text: str) -> "Way":
        """Read `8101=records:8080`.

        Raises:
            ValueError: It is of another form.
        """
        here, _, there = text.partition("=")
        host, _, port = there.rpartition(":")
        if not host:
            raise ValueError(f"{text!r}: give PORT=HOST:PORT")
        return cls(int(here), host, int(port))


type Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
type LookUp = Callable[[str, int], Awaitable[list[str]]]


async def look_up(host: str, port: int) -> list[str]:
    """Return the addresses that a name stands for now, always in the same order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return sorted({str(address[0]) for *_, address in found})


class Front:
    """Hands connections on.

    Args:
        address: Where it listens.
        look_up: Name and port → the addresses of its instances; raises OSError while there are none.
    """

    def __init__(
        self,
        ways: Sequence[Way],
        address: str = "0.0.0.0",  # noqa: S104  # of its own container
        look_up: LookUp = look_up,
    ) -> None:
        self._ways = ways
        self._address = address
        self._look_up = look_up
        self._turns = itertools.count()
        self._servers: list[asyncio.Server] = []

    async def open(self) -> list[int]:
        """Listen, and return the ports in the order of the ways."""
        for way in self._ways:
            take = functools.partial(self._take, way)
            self._servers.append(await asyncio.start_server(take, self._address, way.here))
        return [server.sockets[0].getsockname()[1] for server in self._servers]

    def close(self) -> None:
        """Take no further connection; those under way end with the loop."""
        for server in self._servers:
            server.close()

    async def _take(self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await self._connected(way)
        if there is None:
            writer.transport.abort()
            return
        await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))
        for one in (writer, there[1]):
            one.close()

    async def _connected(self, way: Way) -> Connection | None:
        try:
            addresses = await self._look_up(way.host, way.port)
        except OSError:
            return None
        first = next(self._turns) % len(addresses)
        for address in addresses[first:] + addresses[:first]:
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(CONNECT_S):
                    return await asyncio.open_connection(address, way.port)
        return None


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until one side ends; the other side is told, and may still say the rest."""
    try:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        writer.transport.abort()


async def _main(arguments: Sequence[str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    front = Front([Way.of(text) for text in arguments])
    await front.open()
    await stop.wait()
    front.close()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))
