"""One connection of MLLP: reads, has its messages taken, answers, and only then reads on.

So its order holds, and a sender that writes faster than we commit is held back by TCP itself.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from booking.mllp.counts import MllpCounts
from booking.mllp.frames import Frame, Frames, framed
from booking.mllp.peers import Peers
from booking.mllp.port import Door
from booking.values.refusals import Refused
from chassis.process.errors import AttendError
from chassis.process.logs import get_logger

CHUNK = 64 * 1024
"""Bytes that are read at once, and whose messages are taken together. Twice as many wait in the process at most."""
TOGETHER = 500
"""Messages that are taken together at most."""
_KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 3))
"""By which the system finds out, within two minutes, that a silent peer is gone."""


@dataclass(frozen=True, slots=True)
class Patience:
    """What a listener bears.

    Attributes:
        connections: Open at once at most; one more is closed.
        frame: The longest message, in bytes.
        half_frame_s: From the first byte of a message to its last.
        idle_s: Without a byte; None: for ever. The system finds out by itself that a peer is gone.
        write_s: How long a peer may leave its acknowledgements unread.
        handshake_s: How long TLS may take to begin.
    """

    connections: int = 512
    frame: int = 1 << 20
    half_frame_s: float = 30.0
    idle_s: float | None = None
    write_s: float = 30.0
    handshake_s: float = 10.0


class Connection:
    """A peer, from its first byte to its last.

    Args:
        monotonic: The seconds by which half a message ages.

    Attributes:
        frames: What has come of it.
    """

    def __init__(
        self,
        peer: socket.socket,
        address: str,
        door: Door,
        counts: MllpCounts,
        patience: Patience,
        monotonic: Callable[[], float],
    ) -> None:
        self._peer, self._address = peer, address
        self._door, self._counts, self._patience = door, counts, patience
        self._monotonic = monotonic
        self._waiting: asyncio.Timeout | None = None
        self._stopping = False
        self._log = get_logger().bind(peer=address)
        self.frames = Frames(patience.frame)

    def stop(self) -> None:
        """Answer what was read, and end."""
        self._stopping = True
        if self._waiting is not None:
            self._waiting.reschedule(asyncio.get_running_loop().time())

    async def serve(self, peers: Peers, tls: ssl.SSLContext | None) -> None:
        """Talk with the peer until either has enough; why is counted and logged."""
        try:
            reader, writer = await self._open(tls)
        except (OSError, TimeoutError) as error:  # of TLS too
            self._peer.close()
            self._counts.turned_away.labels("TLS").inc()
            self._log.warning("mllp.turned_away", reason="TLS", reason_text=type(error).__name__)
            return
        reason: str | None = "FAILED"
        try:
            source = peers.source(self._address, writer.get_extra_info("peercert"))
            reason = await self._talk(reader, writer, source)
        except OSError:
            reason = "BROKEN_OFF" if self.frames.waiting else None
        except Exception:  # noqa: BLE001  # the outermost loop: this connection ends, the others go on
            self._log.exception("mllp.failed")
        finally:
            await self._close(writer, reason)

    async def _open(self, tls: ssl.SSLContext | None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEP_ALIVE:
            self._peer.setsockopt(socket.IPPROTO_TCP, option, value)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=CHUNK)
        protocol = asyncio.StreamReaderProtocol(reader)
        async with asyncio.timeout(self._patience.handshake_s) as self._waiting:
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, self._peer, ssl=tls)
        self._waiting = None
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: str | None) -> str | None:
        """Return why it was ended; None where the peer ended it, or we stop."""
        while not self._stopping:
            try:
                data = await self._read(reader)
            except TimeoutError:
                half = self.frames.since is not None
                return None if self._stopping else "HALF_FRAME" if half else "IDLE"
            if not data:
                return "BROKEN_OFF" if self.frames.waiting else None
            junk = self.frames.junk
            whole = self.frames.feed(data, self._monotonic())
            self._counts.junk.inc(self.frames.junk - junk)
            for first in range(0, len(whole), TOGETHER):
                if not await self._answer(writer, whole[first : first + TOGETHER], source):
                    return "SLOW_READER"
        return None

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        left_s = self._patience.idle_s
        if self.frames.since is not None:
            left_s = max(0.0, self.frames.since + self._patience.half_frame_s - self._monotonic())
        async with asyncio.timeout(left_s) as self._waiting:
            data = await reader.read(CHUNK)
        self._waiting = None
        return data

    async def _answer(self, writer: asyncio.StreamWriter, whole: Sequence[Frame], source: str | None) -> bool:
        """Have the messages taken and answer them in order; say whether the peer reads what it is answered."""
        began = self._monotonic()
        taken = iter(await self._taken([frame.body for frame in whole if not frame.too_long], source))
        answers = [self._too_long(frame.body) if frame.too_long else next(taken) for frame in whole]
        now = self._monotonic()
        self._counts.answered(answers, now - began)
        if self.frames.since is not None:
            self.frames.since = now  # what we took ourselves is not the peer's
        writer.write(framed(answers))
        try:
            async with asyncio.timeout(self._patience.write_s):
                await writer.drain()
        except TimeoutError:
            return False
        return True

    async def _taken(self, messages: Sequence[bytes], source: str | None) -> Sequence[bytes]:
        if not messages:
            return []
        try:
            answers = await self._door.answer_all(messages, source)
            if len(answers) != len(messages):
                raise ValueError("not an answer to each message")
        except AttendError as error:
            self._log.warning("mllp.later", code=error.code, reason_text=error.message, messages=len(messages))
        except Exception:  # noqa: BLE001  # the sender keeps what was not taken
            self._log.exception("mllp.failed", messages=len(messages))
        else:
            return answers
        return [self._door.later(message) for message in messages]

    def _too_long(self, beginning: bytes) -> bytes:
        text = f"a message has {self._patience.frame} bytes at most (BOOKING_MLLP_FRAME_BYTES)"
        return self._door.refused(beginning, Refused("TOO_LONG", text))

    async def _close(self, writer: asyncio.StreamWriter, reason: str | None) -> None:
        if reason is not None:
            self._counts.ended.labels(reason).inc()
            self._log.warning("mllp.ended", reason=reason, waiting=self.frames.waiting, junk=self.frames.junk)
        if reason == "SLOW_READER":
            writer.transport.abort()
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(self._patience.write_s):
                await writer.wait_closed()
        writer.transport.abort()
