"""What a command of a service is told of the installation beside which it runs."""

from pathlib import Path

from stack.connections import Connections
from stack.home import Home
from stack.process import ProcessId
from stack.state import PartState, State


def connections(home: Path, **state: str) -> Connections:
    kept = Home(home)
    kept.make()
    parts = (PartState("kafka", "ready", "127.0.0.1:1"), PartState("postgres", "ready", "127.0.0.1:2/attend"))
    return Connections(kept, State(ProcessId(1, 0.0), "ready", parts=parts, **state))  # type: ignore[arg-type]


def test_a_command_judges_by_the_domain_time_of_the_installation_beside_which_it_runs(tmp_path: Path) -> None:
    assert connections(tmp_path, clock_file="/a/clock").environment("booking")["ATTEND_CLOCK_FILE"] == "/a/clock"
    assert "ATTEND_CLOCK_FILE" not in connections(tmp_path).environment("booking")
