"""A listener on a real socket of this machine, and a door that is made up."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from booking.mllp.connection import Patience
from booking.mllp.counts import MllpCounts
from booking.mllp.encryption import Encryption
from booking.mllp.peers import Peers
from booking.mllp.server import Listener
from booking.values.refusals import Refused
from chassis.api.server import bind
from chassis.process.metrics import Metrics

WITHIN_S = 20


def message(control_id: str) -> bytes:
    return b"MSH|^~\\&|EPIC|A|||20260101||SIU^S12|%b|P|2.5\r" % control_id.encode()


def control_id(text: bytes) -> str:
    fields = text.split(b"|")
    return fields[9].decode() if len(fields) > 9 else "?"


def acknowledged(answer: bytes) -> tuple[str, str]:
    code, of = answer.rstrip(b"\r\x1c").split(b"MSA|")[1].split(b"|")[:2]
    return code.decode(), of.decode()


class MadeUpDoor:
    """Takes everything, in the order in which it comes, when it is let."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.sources: set[str | None] = set()
        self.calls = 0
        self.fails: Exception | None = None
        self.says_later = True
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0

    async def answer_all(self, messages: Sequence[bytes], source: str | None) -> Sequence[bytes]:
        self.calls += 1
        self.waiting += len(messages)
        self.sources.add(source)
        await self.open.wait()
        if self.fails:
            raise self.fails
        self.taken += map(control_id, messages)
        return [self._ack(b"AA", one) for one in messages]

    def refused(self, message: bytes, why: Refused) -> bytes:
        assert why.code == "TOO_LONG"
        return self._ack(b"AR", message)

    def later(self, message: bytes) -> bytes:
        assert self.says_later
        return self._ack(b"AE", message)

    def _ack(self, code: bytes, message: bytes) -> bytes:
        return b"MSH|^~\\&|||EPIC|A|20260101||ACK|1|P|2.5\rMSA|%b|%b\r" % (code, control_id(message).encode())


@dataclass
class Peer:
    """One who sends."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.writer.write(packet)
            await self.writer.drain()

    async def answers(self, count: int) -> list[tuple[str, str]]:
        async with asyncio.timeout(WITHIN_S):
            return [acknowledged(await self.reader.readuntil(b"\x1c\x0d")) for _ in range(count)]

    async def ended(self) -> bytes:
        """Wait until the listener has closed; return what it said before."""
        async with asyncio.timeout(WITHIN_S):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""


@dataclass
class Listening:
    """A listener that runs."""

    port: int
    door: MadeUpDoor
    metrics: Metrics
    listener: Listener
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    done: asyncio.Task[None] | None = None
    peers: list[Peer] = field(default_factory=list)

    async def peer(self, **how: Any) -> Peer:
        async with asyncio.timeout(WITHIN_S):
            self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.port, **how)))
        return self.peers[-1]

    def count(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"attend_booking_mllp_{name}", labels) or 0.0

    async def end(self) -> None:
        assert self.done is not None
        self.stop.set()
        async with asyncio.timeout(WITHIN_S):
            await self.done
        for peer in self.peers:
            peer.writer.transport.abort()


type Listen = Callable[..., Awaitable[Listening]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    begun = list[Listening]()

    async def begin(
        patience: Patience | None = None,
        *,
        allowed: Sequence[str] = (),
        sources: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | Encryption | None = None,
        monotonic: Callable[[], float] | None = None,
    ) -> Listening:
        listening: socket.socket = bind("127.0.0.1", 0)
        door, metrics = MadeUpDoor(), Metrics("booking")
        timed = {"monotonic": monotonic} if monotonic else {}
        encrypted = (lambda: tls) if isinstance(tls, ssl.SSLContext) else tls
        peers = Peers(allowed, sources)
        listener = Listener(door, MllpCounts(metrics), peers, patience or Patience(), encrypted, **timed)
        one = Listening(listening.getsockname()[1], door, metrics, listener)
        one.done = asyncio.create_task(listener.serve_on(listening, one.stop))
        begun.append(one)
        return one

    yield begin
    for one in begun:
        one.door.open.set()
        await one.end()


@asynccontextmanager
async def held(door: MadeUpDoor) -> AsyncIterator[None]:
    """Let the door take its time, as a slow commit does."""
    door.open.clear()
    try:
        yield
    finally:
        door.open.set()
