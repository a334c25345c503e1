"""Whatever ends by itself ends the process with exit code 1 and says so; only who was asked to stop leaves with 0."""

import json
import subprocess
import sys
from typing import Any

import pytest

PROGRAM = """
import asyncio
from chassis.process.clock import RealClock
from chassis.process.health import Health
from chassis.process.lifecycle import run
from chassis.process.parts import run_all
from chassis.process.settings import ServiceSettings
from reminders.timers.lifetime import Patience, live

class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0

class Faust:
    crashed, crash_reason = False, None
    def crash(self, reason):
        self.crashed, self.crash_reason = True, reason
    async def start(self):
        {start}
    async def stop(self):
        {stop}

async def part(faust, stop):
    {part}

async def main(stop):
    faust = Faust()
    {asked}
    async def timers(stop):
        await live(faust, {{"part": part(faust, stop)}}, stop, lambda: None, Patience(0.5, 0.2, 1.0))
    await run_all(stop, Health("shop", RealClock()), {{"timers": timers}}, vital=("timers",))

run("shop", Settings(database_url="x", kafka_bootstrap_servers="x"), main)
"""
FOR_EVER = "await asyncio.Event().wait()"
HANGS = """
        while True:
            try:
                await asyncio.sleep(60)
            except BaseException:
                pass
"""


def ended(
    start: str = "pass", stop: str = "pass", part: str = FOR_EVER, *, asked: bool = True
) -> tuple[int, dict[str, Any]]:
    """Return the exit code of a process that lives so, and its log lines by event; asked to stop at once, or not."""
    code = PROGRAM.format(start=start, stop=stop, part=part, asked="stop.set()" if asked else "pass")
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, timeout=60, check=False)  # noqa: S603  # our own
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return done.returncode, {line["event"]: line for line in lines}


def test_who_is_asked_to_stop_leaves_with_0() -> None:
    assert ended()[0] == 0


@pytest.mark.parametrize(
    "part",
    [
        pytest.param("raise ZeroDivisionError", id="raises"),
        pytest.param("return", id="returns"),
        pytest.param("raise asyncio.CancelledError", id="is cancelled"),
        pytest.param(f"faust.crash(ZeroDivisionError()); {FOR_EVER}", id="faust crashes"),
        pytest.param(f"faust.crash(asyncio.CancelledError()); {FOR_EVER}", id="faust crashes by a cancellation"),
        pytest.param(f"faust.crash(None); {FOR_EVER}", id="faust crashes without a reason"),
    ],
)
def test_what_ends_while_it_runs_ends_the_process_with_1_and_a_line(part: str) -> None:
    code, said = ended(part=part, asked=False)

    assert code == 1
    assert said["timers.failed"]["part"] in {"part", "faust"}
    assert "service.failed" in said
    assert "service.stopped" not in said


@pytest.mark.parametrize("start", ["raise ZeroDivisionError", "raise asyncio.CancelledError"])
def test_a_start_that_fails_ends_the_process_with_1(start: str) -> None:
    code, said = ended(start=start, asked=False)

    assert (code, said["timers.failed"]["part"]) == (1, "faust")


@pytest.mark.parametrize(
    "stop",
    [
        pytest.param("raise ZeroDivisionError", id="raises"),
        pytest.param("raise asyncio.CancelledError", id="is cancelled"),
        pytest.param("self.crash(ZeroDivisionError())", id="faust crashes"),
        pytest.param("self.crash(asyncio.CancelledError())", id="faust crashes by a cancellation"),
        pytest.param("await asyncio.sleep(60)", id="hangs"),
    ],
)
def test_a_stop_that_goes_wrong_ends_the_process_with_1_and_a_line(stop: str) -> None:
    code, said = ended(stop=stop)

    assert (code, said["timers.failed"]["part"]) == (1, "leaving")


def test_a_part_that_fails_while_the_process_leaves_is_no_clean_stop() -> None:
    code, said = ended(part="await stop.wait(); await asyncio.sleep(0.1); 1 / 0", stop="await asyncio.sleep(0.3)")

    assert (code, said["timers.failed"]["part"]) == (1, "part")


def test_a_failed_process_ends_though_its_stop_never_does_and_has_said_why() -> None:
    code, said = ended(part="raise ZeroDivisionError", stop=HANGS, asked=False)

    assert (code, said["timers.failed"]["error"]) == (1, "ZeroDivisionError")
