"""One whole installation for all tests that look at it from outside: their own, or one that runs already."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chassis.process import clock
from stack import services
from stack.demo.installation import APIS, Installation
from stack.supervisor import System

MONDAY_MORNING = datetime(2027, 3, 1, 9, tzinfo=UTC)


def from_environment(environ: Mapping[str, str] = os.environ) -> Installation | None:
    """Return the installation that the environment names, or None without `ATTEND_BOOKING_URL`.

    Read are `ATTEND_*_URL`, `ATTEND_*_OPERATIONS_URL`, `ATTEND_KEY`, `ATTEND_OPERATOR_KEY` and `ATTEND_CLOCK_FILE`.
    """
    if "ATTEND_BOOKING_URL" not in environ:
        return None

    def named(name: str, kind: str = "") -> str:
        return environ[f"ATTEND_{name.upper().replace('-', '_')}_{kind}URL"].rstrip("/")

    return Installation(
        urls={name: named(name) for name in (*APIS, "sinks")},
        operations_urls={one.name: named(one.name, "OPERATIONS_") for one in services.ALL},
        key=environ["ATTEND_KEY"],
        operator_key=environ["ATTEND_OPERATOR_KEY"],
        clock_file=Path(environ["ATTEND_CLOCK_FILE"]),
    )


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Return the installation named by the environment, else start one on free ports and stop it at the end."""
    if given := from_environment():
        yield given
        return
    home = tmp_path_factory.mktemp("whole-system")
    clock_file = home / "clock.json"
    clock.step(clock_file, MONDAY_MORNING)
    with System(home / "system", ports="free", sinks=True, clock_file=clock_file) as system:
        yield Installation(system.urls, system.operations_urls, system.key, system.operator_key, clock_file)
