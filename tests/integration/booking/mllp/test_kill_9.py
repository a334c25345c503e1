"""kill -9 of the listener in mid-stream, under an engine that sends again what was not acknowledged."""

import asyncio
import statistics
import sys
import time
from collections.abc import Iterator

import pytest

from booking.mllp.frames import framed
from stack import services
from stack.supervisor import System
from tests.support.booking.mllp import booked
from tests.support.booking.mllp_kills import Outcome, database, enter_clinic, play, port_of

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

MOST_S = 30


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    run = services.named(["booking", "booking-mllp"])
    with System(tmp_path_factory.mktemp("mllp"), ports="free", sinks=False, run=run) as running:
        yield running


async def test_kill_9_of_the_listener_loses_and_doubles_nothing(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = await play(system, senders=3, each=100, kills=["booking-mllp"] * 3)
    with capsys.disabled():
        sys.stdout.write(f"\n{outcome}\n")
    assert outcome == Outcome(600, 3, outcome.again, {"AA": 600}, 0, 0, 0)
    assert outcome.again > 0
    assert system.restarts("booking-mllp") == 3


async def test_what_another_process_took_is_published_by_the_service_that_runs(
    system: System, capsys: pytest.CaptureFixture[str]
) -> None:
    await enter_clinic(system)
    delays = list[float]()
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(system))
    async with database(system) as pool:
        for number in range(20):
            writer.write(framed([booked(f"relay-{number}").encode()]))
            assert b"MSA|AA|" in await reader.readuntil(b"\x1c\x0d")
            began = time.monotonic()
            while await pool.fetchval("SELECT count(*) FROM outbox"):  # each look takes less than a millisecond
                assert time.monotonic() - began < MOST_S
            delays.append(time.monotonic() - began)
    writer.close()
    with capsys.disabled():
        middle, longest = statistics.median(delays), max(delays)
        sys.stdout.write(f"\nfrom the acknowledgement to the topic: {middle:.3f} s, {longest:.3f} s at most\n")
