import os
from pathlib import Path

from stack.process import ProcessId
from stack.state import PartState, State, StateFile, read_state

ME = ProcessId.of(os.getpid())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    part = PartState("records", "ready", "http://127.0.0.1:8101", process=ME)
    file = StateFile(tmp_path / "state.json", State(ME, "starting", sinks=True))

    file.put(part)
    file.change(phase="ready", seconds=7.5)

    assert read_state(tmp_path / "state.json") == State(ME, "ready", 7.5, sinks=True, parts=(part,))


def test_a_part_has_one_row_however_often_it_changes(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "state.json", State(ME, "starting"))

    file.put(PartState("kafka", "waiting"))
    file.put(PartState("records", "waiting"))
    file.put(PartState("kafka", "ready"))

    assert [(part.name, part.state) for part in file.state.parts] == [("kafka", "ready"), ("records", "waiting")]


def test_a_broken_or_missing_file_is_no_state(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"supervisor": {"pid"')

    assert read_state(tmp_path / "broken.json") is None
    assert read_state(tmp_path / "missing.json") is None


def test_a_supervisor_whose_id_went_to_another_process_is_dead() -> None:
    reused = ProcessId(ME.pid, ME.started - 100)

    assert State(ME, "ready").lives
    assert not State(reused, "ready").lives
