"""What is known of a process that the nursery forked: what the nursery says of it, and nothing guessed meanwhile."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.spawn import Exit, Forked


@pytest.fixture
def ended() -> Iterator[int]:
    """Return the pid of a process that has ended, which its parent has not learnt yet."""
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(78)"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    yield process.pid
    process.wait()


def test_the_exit_code_of_an_ended_process_is_awaited_until_the_nursery_says_it(ended: int) -> None:
    told = Exit()
    process = Forked(ended, Path("log"), told, lambda: True)
    before = process.exit_code

    told.code = 78

    assert (before, process.exit_code) == (None, 78)


def test_of_a_process_whose_nursery_died_nobody_can_say_more_than_that_it_ended(ended: int) -> None:
    assert Forked(ended, Path("log"), Exit(), lambda: False).exit_code == 1
