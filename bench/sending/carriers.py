"""Carriers in a process of their own that take everything, at the price of as little CPU as can be.

`python -m bench.sending.carriers DELAY_MS` prints two ports, HTTP and SMTP, and serves until its input ends. HTTP
answers a POST in Twilio's shape after the delay, SMTP the final dot. `GET /count` tells what was taken.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast
from urllib.request import urlopen

import orjson
import psutil
import uvloop

LOOPBACK = "127.0.0.1"
HEAD = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
TAKEN = (
    b'{"sid":"SM%032x","account_sid":"AC00000000000000000000000000000000","status":"queued","direction":"outbound-api",'
    b'"from":"+15005550006","num_segments":"1","price":null,"price_unit":"USD","error_code":null,"error_message":null}'
)
GREETING = b"220 bench ESMTP\r\n"
EXTENSIONS = b"250-bench\r\n250-SIZE 33554432\r\n250-8BITMIME\r\n250 DSN\r\n"


@dataclass
class Count:
    """What was taken."""

    http: int = 0
    smtp: int = 0
    smtp_bytes: int = 0


class HttpDoor(asyncio.Protocol):
    """One kept connection; a client that has asked waits for its answer."""

    def __init__(self, count: Count, delay_s: float) -> None:
        self._count, self._delay_s = count, delay_s
        self._loop, self._read = asyncio.get_running_loop(), b""
        self._out: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where answers go."""
        self._out = cast(asyncio.WriteTransport, transport)  # uvloop's is no subclass

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].lower()
            _, _, after = head.partition(b"content-length:")
            length = int(after.split(b"\r\n", 1)[0]) if after else 0
            if len(self._read) < end + 4 + length:
                return
            self._read = self._read[end + 4 + length :]
            if head.startswith(b"post"):
                self._count.http += 1
                body = TAKEN % self._count.http
                self._loop.call_later(self._delay_s, self._write, HEAD % (b"201 Created", len(body), body))
            else:
                count = self._count
                body = b'{"http":%d,"smtp":%d,"smtp_bytes":%d}' % (count.http, count.smtp, count.smtp_bytes)
                self._write(HEAD % (b"200 OK", len(body), body))

    def _write(self, answer: bytes) -> None:
        if self._out is not None and not self._out.is_closing():
            self._out.write(answer)


class SmtpDoor(asyncio.Protocol):
    """One connection of a mail server that takes every mail."""

    def __init__(self, count: Count, delay_s: float) -> None:
        self._count, self._delay_s, self._read, self._in_mail = count, delay_s, b"", False
        self._loop = asyncio.get_running_loop()
        self._out: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._out = cast(asyncio.WriteTransport, transport)
        self._out.write(GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer each whole line, or the whole mail."""
        self._read += data
        while True:
            line, found, rest = self._read.partition(b"\r\n.\r\n" if self._in_mail else b"\r\n")
            if not found:
                return
            self._read = rest
            self._answer(line)

    def _answer(self, line: bytes) -> None:
        assert self._out is not None
        if self._in_mail:
            self._in_mail = False
            self._count.smtp += 1
            self._count.smtp_bytes += len(line)
            answer = b"250 2.0.0 queued as %x\r\n" % self._count.smtp
            if self._delay_s:
                self._loop.call_later(self._delay_s, self._out.write, answer)
            else:
                self._out.write(answer)
            return
        match line[:4].upper():
            case b"EHLO":
                self._out.write(EXTENSIONS)
            case b"DATA":
                self._in_mail = True
                self._out.write(b"354 go\r\n")
            case b"QUIT":
                self._out.write(b"221 bye\r\n")
                self._out.close()
            case _:
                self._out.write(b"250 ok\r\n")


async def _serve(delay_s: float) -> None:
    loop, count = asyncio.get_running_loop(), Count()
    http = await loop.create_server(lambda: HttpDoor(count, delay_s), LOOPBACK, 0)
    smtp = await loop.create_server(lambda: SmtpDoor(count, delay_s), LOOPBACK, 0)
    print(*(server.sockets[0].getsockname()[1] for server in (http, smtp)), flush=True)
    async with http, smtp:
        await asyncio.to_thread(sys.stdin.read)


@dataclass(frozen=True, slots=True)
class Carriers:
    """The running program."""

    http_port: int
    smtp_port: int
    pid: int

    @property
    def url(self) -> str:
        """Where HTTP is served."""
        return f"http://{LOOPBACK}:{self.http_port}"

    def cpu_s(self) -> float:
        """Return the CPU seconds it has used."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def taken(self) -> Count:
        """Return the counts."""
        with urlopen(f"{self.url}/count", timeout=5) as answer:  # noqa: S310 - of our own program
            return Count(**orjson.loads(answer.read()))


@asynccontextmanager
async def carriers(delay_ms: int) -> AsyncIterator[Carriers]:
    """Run the program for the block."""
    command = [sys.executable, "-m", "bench.sending.carriers", str(delay_ms)]
    process = subprocess.Popen(  # noqa: S603, ASYNC220 - our own program, once
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        http, smtp = (await asyncio.to_thread(process.stdout.readline)).split()
        yield Carriers(int(http), int(smtp), process.pid)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.to_thread(process.wait)


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1]) / 1000))
