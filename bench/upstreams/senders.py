"""Senders over MLLP that cost little: frames are made before, and acknowledgements counted by their bytes."""

import asyncio
from collections.abc import Sequence

from booking.mllp.frames import framed

END = b"\x1c\x0d"
ACCEPTED = b"MSA|AA|"


async def send(port: int, lanes: Sequence[Sequence[bytes]], window: int) -> int:
    """Send the messages of each lane over a connection of its own; return how many were accepted.

    Args:
        window: Messages of a connection that are under way before it waits for their acknowledgements.
    """
    return sum(await asyncio.gather(*(_lane(port, messages, window) for messages in lanes)))


async def _lane(port: int, messages: Sequence[bytes], window: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    packets = [messages[first : first + window] for first in range(0, len(messages), window)]
    accepted = 0
    for packet in packets:
        writer.write(framed(packet))
        answered, rest = 0, b""
        while answered < len(packet):
            data = await reader.read(1 << 18)
            assert data, "the listener ended the connection"
            rest += data
            whole, _, rest = rest.rpartition(END)
            answered += (whole + END).count(END) if whole else 0
            accepted += whole.count(ACCEPTED)
    writer.close()
    return accepted
