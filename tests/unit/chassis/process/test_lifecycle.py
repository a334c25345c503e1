"""A process ends in order, and the exit code says why."""

import os
import signal
import subprocess
import sys
import time

import pytest

from chassis.process.lifecycle import DRAIN_S

PROGRAM = """
import asyncio
from chassis.process.errors import Misconfigured
from chassis.process.lifecycle import run
from chassis.process.settings import ServiceSettings
class Settings(ServiceSettings):
    http_port: int = 0
    operations_port: int = 0
async def main(stop):
    {body}
run("shop", Settings(database_url="x", kafka_bootstrap_servers="x"), main)
"""


def program(body: str) -> subprocess.Popen[str]:
    code = PROGRAM.format(body=body)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)  # noqa: S603  # our own


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("return", 0),
        ("raise Misconfigured('topic t has 3 partitions, 12 are needed; run attend topics apply')", 78),
        ("raise ExceptionGroup('parts', [Misconfigured('the schema is old; run attend migrate')])", 78),
        ("raise ZeroDivisionError", 1),
    ],
)
def test_the_exit_code_says_how_it_ended(body: str, code: int) -> None:
    process = program(body)
    written, _ = process.communicate(timeout=60)

    assert process.returncode == code
    if code == 78:
        assert "attend" in written


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_asks_and_what_was_begun_is_finished(number: signal.Signals) -> None:
    process = program("print('up', flush=True); await stop.wait(); print('finished', flush=True)")
    assert process.stdout is not None
    while process.stdout.readline().strip() != "up":
        pass
    os.kill(process.pid, number)
    written, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert "finished" in written


NEVER_ENDS = """print('up', flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(60)"""


def test_what_waits_for_a_server_that_stands_still_does_not_keep_the_process() -> None:
    """Cancelled, it would wait once more: its end is not asked for, it ends within the time it was given."""
    process = program(NEVER_ENDS)
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "up"
    began = time.monotonic()
    os.kill(process.pid, signal.SIGTERM)
    written, _ = process.communicate(timeout=60)

    assert process.returncode == 0
    assert time.monotonic() - began < DRAIN_S + 5
    assert "service.cut_off" in written


def test_a_part_that_failed_while_another_waits_is_no_clean_end() -> None:
    process = program("stop.set(); await asyncio.Event().wait()")
    process.communicate(timeout=60)

    assert process.returncode == 1
