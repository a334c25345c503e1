"""The listener of MLLP: who is let in, how many at once, and how it stops."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable

from booking.mllp.connection import Connection, Patience
from booking.mllp.counts import MllpCounts
from booking.mllp.peers import Peers
from booking.mllp.port import Door
from chassis.api.server import bind
from chassis.process.logs import get_logger

NO_FILES_PAUSE_S = 0.1
"""Before the next connection is accepted, where the system gave none: it has no more files, or the peer has gone."""


class Listener:
    """Listens until it is told to stop; then what was read is answered, and all connections are closed.

    Args:
        tls: Gives what encrypts the next connection; None: nothing does.
        monotonic: The seconds by which half a message ages.
    """

    def __init__(
        self,
        door: Door,
        counts: MllpCounts,
        peers: Peers,
        patience: Patience,
        tls: Callable[[], ssl.SSLContext] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._door, self._counts, self._peers, self._patience = door, counts, peers, patience
        self._tls = tls
        self._monotonic = monotonic
        self._connections = dict[Connection, asyncio.Task[None]]()
        self._log = get_logger()
        counts.connections.set_function(lambda: len(self._connections))
        counts.waiting.set_function(lambda: sum(one.frames.waiting for one in self._connections))
        counts.oldest.set_function(self.oldest_s)

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._connections)

    def oldest_s(self) -> float:
        """Return how long the oldest half message, or bytes that are none, have waited; 0 where none does."""
        began = [one.frames.since for one in self._connections if one.frames.since is not None]
        return self._monotonic() - min(began) if began else 0.0

    async def serve(self, host: str, port: int, stop: asyncio.Event) -> None:
        """Listen at an address until `stop` is set.

        Raises:
            Misconfigured: It cannot be listened on.
        """
        await self.serve_on(bind(host, port), stop)

    async def serve_on(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Listen on a socket until `stop` is set; it is closed then."""
        listening.setblocking(False)
        accepting = asyncio.create_task(self._accept(listening))
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({accepting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (accepting, stopping):
                task.cancel()
            await asyncio.wait({accepting, stopping})
            listening.close()
            for connection in self._connections:
                connection.stop()
            if self._connections:
                await asyncio.wait(self._connections.values())
        if not accepting.cancelled():
            accepting.result()

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                peer, address = await loop.sock_accept(listening)
            except OSError as error:
                self._log.warning("mllp.not_accepted", reason_text=error.strerror)
                await asyncio.sleep(NO_FILES_PAUSE_S)
                continue
            if (reason := self._turned_away(address[0])) is not None:
                self._counts.turned_away.labels(reason).inc()
                self._log.warning("mllp.turned_away", peer=address[0], reason=reason)
                peer.close()
                continue
            connection = Connection(peer, address[0], self._door, self._counts, self._patience, self._monotonic)
            tls = None if self._tls is None else self._tls()
            task = asyncio.create_task(connection.serve(self._peers, tls), name=f"mllp {address[0]}")
            self._connections[connection] = task
            task.add_done_callback(lambda _, gone=connection: self._connections.pop(gone))  # type: ignore[misc]

    def _turned_away(self, address: str) -> str | None:
        if not self._peers.may_connect(address):
            return "ADDRESS"
        return "FULL" if len(self._connections) >= self._patience.connections else None
