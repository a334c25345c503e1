"""A system of its own for each chaos test: what was killed in one must not matter to the next."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis import clock
from stack.supervisor import System

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def clock_file(tmp_path: Path) -> Path:
    """Return the file of the stepped clock."""
    file = tmp_path / "clock.json"
    clock.step(file, NOW)
    return file


@pytest.fixture
def system(tmp_path: Path, clock_file: Path) -> Iterator[System]:
    """Return a fresh system on free ports, with a stepped clock and real sinks."""
    with System(tmp_path / "system", ports="free", sinks=True, clock_file=clock_file) as system:
        yield system
