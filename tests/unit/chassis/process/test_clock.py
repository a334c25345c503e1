"""Domain time is read in one place and can be stepped for all processes at once (design §7)."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from chassis.process.clock import RealClock, SteppedClock, StillClock, clock_from, step

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_without_a_file_domain_time_is_real_time(tmp_path: Path) -> None:
    assert isinstance(clock_from(None), RealClock)
    assert isinstance(clock_from(tmp_path / "clock.json"), SteppedClock)


def test_a_stepped_clock_without_a_file_runs_unstepped_on_epoch_0(tmp_path: Path) -> None:
    clock = SteppedClock(tmp_path / "clock.json")

    assert clock.epoch == 0
    assert abs(clock.now() - clock.unstepped()) < timedelta(seconds=1)


def test_a_step_moves_every_process_that_reads_the_file_and_counts_the_epoch(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    mine, theirs = SteppedClock(file), SteppedClock(file)

    assert step(file, NOON) == 1
    assert step(file, NOON + timedelta(days=1)) == 2

    for clock in (mine, theirs):
        assert clock.epoch == 2
        assert timedelta(0) <= clock.now() - NOON - timedelta(days=1) < timedelta(seconds=5)


def test_domain_time_goes_on_running_after_a_step(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    step(file, NOON)
    clock = SteppedClock(file)

    assert clock.now() <= clock.now()
    assert clock.now().utcoffset() == timedelta(0)


def test_machine_time_is_untouched_by_a_step(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    clock = SteppedClock(file)
    before = clock.unstepped()

    step(file, NOON + timedelta(days=3650))

    assert timedelta(0) <= clock.unstepped() - before < timedelta(seconds=5)


def test_a_naive_instant_is_refused(tmp_path: Path) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        step(tmp_path / "clock.json", naive)
    with pytest.raises(ValueError, match="aware"):
        StillClock(naive)


def test_a_still_clock_stands_until_moved() -> None:
    clock = StillClock(NOON.astimezone(timezone(timedelta(hours=5))))

    assert (clock.now(), clock.epoch) == (NOON, 0)
    clock.move(NOON + timedelta(hours=1))
    assert (clock.now(), clock.epoch) == (NOON + timedelta(hours=1), 1)
