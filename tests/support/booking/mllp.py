"""Senders of HL7 v2 over MLLP for tests: HAPI's client, which is not ours, and a way between that loses answers."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from stack import jars
from stack.java import find_java

HAPI = Path(__file__).parents[1] / "hapi"
CHUNK = 64 * 1024


class Sent(NamedTuple):
    """What became of a message, as its sender sees it.

    Attributes:
        code: MSA-1 of the acknowledgement that ended it.
        tries: How often it was sent.
    """

    control_id: str
    code: str
    tries: int


def booked(number: int | str, *, trigger: str = "S12", start: str = "20270312100000+0000", word: str = "Booked") -> str:
    """Return a message about the visit of this number, at the clinic EYE; its control id is `<trigger>-<number>`."""
    return "\r".join(
        [
            f"MSH|^~\\&|HIS|RIVERSIDE|ATTEND|EYE|20270301090000+0000||SIU^{trigger}|{trigger}-{number}|P|2.5",
            f"SCH|P{number}|F{number}|||||||30|MIN|^^^{start}||||||||||||||{word}",
            f"PID|1||{number}^^^RIVERSIDE^MR||Smith^Ann||19800102|F",
            "RGS|1|A",
            f"AIS|1|A|CHECK^Check|{start}",
            "AIL|1|A|EYE^^^EYE",
        ]
    )


async def hapi(port: int, messages: Sequence[str], *, patience_ms: int = 2_000, within_s: float = 200) -> list[Sent]:
    """Send messages as an interface engine does, with HAPI's client, until each is acknowledged for good."""
    paths = jars.class_path(lock_text=(HAPI / "jgo.lock.toml").read_text())
    process = await asyncio.create_subprocess_exec(
        find_java().executable, "-cp", os.pathsep.join(map(str, paths)), HAPI / "Send.java",
        "127.0.0.1", str(port), str(patience_ms),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    lines = "".join(one.replace("\r", "|CR|") + "\n" for one in messages)
    try:
        async with asyncio.timeout(within_s):
            out, said = await process.communicate(lines.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, said.decode()
    return [Sent(name, code, int(tries)) for name, code, tries in map(str.split, out.decode().splitlines())]


class Lossy:
    """A way to a listener that loses the answers to some messages.

    Attributes:
        port: Where it listens.
        lose: How many answers are lost from now on; the connection ends with each.
        lost: How many were.
    """

    def __init__(self, to: int) -> None:
        self._to = to
        self.port = self.lose = self.lost = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, to: int) -> AsyncIterator["Lossy"]:
        """Listen while the block runs."""
        way = cls(to)
        server = await asyncio.start_server(way._take, "127.0.0.1", 0)
        way.port = server.sockets[0].getsockname()[1]
        async with server:
            yield way

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        forth = asyncio.create_task(self._pass_on(reader, back))
        while data := await there.read(CHUNK):
            if self.lose:
                self.lose, self.lost = self.lose - 1, self.lost + 1
                break
            writer.write(data)
            await writer.drain()
        forth.cancel()
        for one in (writer, back):
            one.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
