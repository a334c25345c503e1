import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.leftovers import end_leftovers, in_stopping_order
from stack.process import Child, ProcessId
from stack.state import PartState, State

DEAD_SUPERVISOR = ProcessId(os.getpid(), 1.0)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Child]:
    child = Child([sys.executable, "-c", "import time; time.sleep(600)"], tmp_path / "log")
    yield child
    child.kill()


def test_a_recorded_process_that_still_runs_is_ended(sleeper: Child) -> None:
    left = State(DEAD_SUPERVISOR, "ready", parts=(PartState("records", "ready", process=sleeper.id),))

    assert end_leftovers(left) == ["records"]
    assert sleeper.id.find() is None


def test_a_process_that_got_the_recorded_id_later_is_left_alone(sleeper: Child) -> None:
    another = ProcessId(sleeper.id.pid, sleeper.id.started - 60)
    left = State(DEAD_SUPERVISOR, "ready", parts=(PartState("records", "ready", process=another),))

    assert end_leftovers(left) == []
    assert sleeper.running


def test_a_frozen_leftover_is_ended_too(sleeper: Child) -> None:
    sleeper.pause()

    end_leftovers(State(DEAD_SUPERVISOR, "ready", parts=(PartState("records", "ready", process=sleeper.id),)))

    assert sleeper.id.find() is None


def test_parts_without_a_process_are_no_leftovers() -> None:
    assert end_leftovers(State(DEAD_SUPERVISOR, "ready", parts=(PartState("kafka", "existing"),))) == []


def test_servers_stop_after_the_services_that_need_them() -> None:
    parts = tuple(PartState(name, "ready") for name in ("kafka", "postgres", "sinks", "booking", "notifier"))

    services, servers = in_stopping_order(parts)

    assert [part.name for part in services] == ["booking", "notifier"]
    assert [part.name for part in servers] == ["sinks", "postgres", "kafka"]
