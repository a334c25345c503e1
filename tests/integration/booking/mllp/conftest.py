"""A listener of MLLP on a real PostgreSQL, in the test's own loop; Kafka is away."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from booking.mllp.connection import Patience
from booking.mllp.counts import MllpCounts
from booking.mllp.frames import framed
from booking.mllp.peers import Peers
from booking.mllp.server import Listener
from booking.profiles.current import Profiles
from booking.profiles.domain import Profile
from booking.wiring.mllp import door_of
from chassis.api.server import bind
from chassis.process.clock import RealClock
from chassis.process.metrics import Metrics
from tests.support.booking.door import Door, settings_on
from tests.support.installation import Installation

WITHIN_S = 120


@dataclass
class Wire:
    """A connection to the listener."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, *messages: str | bytes) -> list[str]:
        """Send messages in one packet, and return their acknowledgements."""
        self.writer.write(framed([one.encode() if isinstance(one, str) else one for one in messages]))
        return await self.answers(len(messages))

    async def answers(self, count: int) -> list[str]:
        """Return the next acknowledgements."""
        async with asyncio.timeout(WITHIN_S):
            return [(await self.reader.readuntil(b"\x1c\x0d"))[1:-2].decode() for _ in range(count)]


def told(answers: Sequence[str]) -> list[str]:
    """Return MSA-1 and MSA-2 of acknowledgements, and the code in ERR where there is one (from 2.5 on)."""
    found = []
    for answer in answers:
        segments = {one[:3]: one.split("|") for one in answer.split("\r") if one}
        msa, err = segments["MSA"], segments.get("ERR")
        found.append(" ".join([*msa[1:3], *([err[5].partition("^")[0]] if err and len(err) > 5 else [])]))
    return found


@dataclass
class Listening:
    """A listener that runs."""

    port: int
    metrics: Metrics

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        """Connect for the block."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()


@pytest.fixture
async def listening(base: Installation, door: Door) -> AsyncIterator[Listening]:
    """Give a listener whose client is `local`, beside a door that has the clinic EYE."""
    settings, metrics = settings_on(base, mllp_client="local"), Metrics("booking")
    profiles = Profiles.fixed({"local": Profile.model_validate({"hl7v2": {"clinics": {"EYE": "EYE"}}})})
    taking = door_of(settings, door.pool, RealClock(), profiles, metrics, "local")
    listener, stop, socket = Listener(taking, MllpCounts(metrics), Peers(), Patience()), asyncio.Event(), bind("", 0)
    serving = asyncio.create_task(listener.serve_on(socket, stop))
    yield Listening(socket.getsockname()[1], metrics)
    stop.set()
    await serving
