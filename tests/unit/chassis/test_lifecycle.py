"""A process ends in order, and the exit code says why."""

import os
import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from chassis.errors import Misconfigured
from chassis.lifecycle import run
from chassis.settings import ServiceSettings
class Settings(ServiceSettings):
    http_port: int = 0
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
