"""kill -9 of every part while bookings flow and while reminders leave: the result equals the undisturbed one."""

import sys
from pathlib import Path
from random import Random

import pytest

from stack.demo.installation import SERVICES
from stack.supervisor import System
from tests.chaos.conftest import NOW
from tests.chaos.faults import kill_kafka, kill_postgres, kill_service
from tests.chaos.load import write_load
from tests.chaos.scenario import Report, play


def show(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{report}\n")


@pytest.mark.timeout(1500)
async def test_kill_9_of_each_part_in_turn_loses_nothing_and_doubles_nothing(
    system: System, clock_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = await play(
        system,
        clock_file,
        write_load(NOW, bookings=2000),
        while_booking=[kill_service(system, name) for name in SERVICES],
        while_changing=[kill_kafka(system), kill_postgres(system)],
        while_leaving=[kill_service(system, name) for name in ("notifier", "reminders-worker", "reminders-projector")],
    )
    show(report, capsys)
    assert report.outcome.differences == []
    assert report.violations == []


@pytest.mark.chaos
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(3))
async def test_many_kills_in_any_order_lose_nothing_and_double_nothing(
    system: System, clock_file: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    rng = Random(seed)
    parts = [kill_service(system, name) for name in SERVICES] + [kill_kafka(system), kill_postgres(system)]
    report = await play(
        system,
        clock_file,
        write_load(NOW, bookings=4000),
        while_booking=rng.choices(parts, k=20),
        while_changing=rng.choices(parts, k=6),
        while_leaving=rng.choices(parts, k=12),
    )
    show(report, capsys)
    assert report.outcome.differences == []
    assert report.violations == []
