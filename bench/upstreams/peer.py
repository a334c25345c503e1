"""The listener that `hl7` brings (BSD): it parses each message and acknowledges it, and keeps nothing."""

import asyncio
import contextlib
import multiprocessing
import socket
from collections.abc import Iterator

import psutil
import uvloop
from hl7.mllp import HL7StreamReader, HL7StreamWriter, start_hl7_server  # type: ignore[import-untyped]

LONGEST_START_S = 60


async def _talk(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
    with contextlib.suppress(asyncio.IncompleteReadError):
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack())
            await writer.drain()


def _serve(port: int) -> None:
    async def run() -> None:
        async with await start_hl7_server(_talk, host="127.0.0.1", port=port, encoding="utf-8") as server:
            await server.serve_forever()

    uvloop.run(run())


@contextlib.contextmanager
def listening() -> Iterator[tuple[int, psutil.Process]]:
    """Give the port of such a listener and the process of its own in which it runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(port,))
    process.start()
    try:
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join()
