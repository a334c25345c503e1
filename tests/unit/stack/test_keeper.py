import time
from collections.abc import Callable

from stack.keeper import BACKOFF_MOST_S, Keeper, backoff_s
from stack.process import ProcessId
from stack.state import PartState


class FakePart:
    """A part that runs until told otherwise."""

    process = ProcessId(1, 1.0)

    def __init__(self) -> None:
        self.running = False
        self.ready = True
        self.why_stuck = ""
        self.starts = 0

    def start(self) -> None:
        self.starts += 1
        self.running = True

    def stop(self) -> None:
        self.running = False

    def is_ready(self) -> bool:
        return self.running and self.ready

    def stuck(self) -> str:
        found, self.why_stuck = self.why_stuck, ""
        return found

    def last_words(self) -> str:
        return "first\nlast"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def kept(part: FakePart, *, restart: bool = True) -> tuple[Keeper, list[PartState]]:
    told: list[PartState] = []
    url, asked = "http://127.0.0.1:1", "http://127.0.0.1:2"
    keeper = Keeper("thing", part, url, told.append, restart=restart, operations_url=asked, ask_live_every_s=0)
    keeper.begin()
    return keeper, told


def test_the_wait_before_a_restart_doubles_up_to_ten_seconds() -> None:
    assert [backoff_s(failures) for failures in (1, 2, 3)] == [0.2, 0.4, 0.8]
    assert backoff_s(50) == BACKOFF_MOST_S == 10


def test_a_part_that_ended_is_started_again_and_the_restart_is_counted() -> None:
    part = FakePart()
    keeper, told = kept(part)

    part.running = False
    until(lambda: keeper.state.state == "ready" and keeper.state.restarts == 1)
    keeper.finish()

    assert part.starts == 2
    assert [state.state for state in told] == [
        "starting",
        "ready",
        "restarting",
        "starting",
        "ready",
        "stopping",
        "stopped",
    ]
    assert told[2].detail == "exit code None: last"
    assert {(state.url, state.operations_url) for state in told} == {("http://127.0.0.1:1", "http://127.0.0.1:2")}


def test_a_part_that_says_it_is_stuck_is_ended_and_started_again() -> None:
    part = FakePart()
    keeper, told = kept(part)

    part.why_stuck = "consumer records: stands still in spite of a new client: group"
    until(lambda: keeper.state.state == "ready" and keeper.state.restarts == 1)
    keeper.finish()

    assert part.starts == 2
    assert told[2].detail == "stuck: consumer records: stands still in spite of a new client: group"


def test_a_server_that_tests_break_on_purpose_is_not_started_again() -> None:
    part = FakePart()
    keeper, _ = kept(part, restart=False)

    part.running = False
    until(lambda: keeper.state.state == "ended")
    keeper.finish()

    assert part.starts == 1


def test_a_part_is_not_ready_before_it_says_so() -> None:
    part = FakePart()
    part.ready = False
    keeper, _ = kept(part)
    assert keeper.state.state == "starting"

    part.ready = True
    until(lambda: keeper.state.state == "ready")
    keeper.finish()

    assert not part.running
