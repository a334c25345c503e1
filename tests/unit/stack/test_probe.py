"""That somebody answers at our part's port does not say that our part is well."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from stack import probe
from stack.commands.look import gather
from stack.parts import ServiceProcess
from stack.process import ProcessId, Running
from stack.state import PartState, State

OURS = ProcessId(4711, 1.0)
URL = "http://127.0.0.1:8100"


def test_our_own_process_is_no_other() -> None:
    assert probe.another(URL, {"service": "booking", "pid": 4711}, OURS) == ""


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"service": "booking", "installation": "abc", "pid": 1}, "booking of installation abc, process 1"),
        ({"service": "reminders-worker", "pid": 4712}, "reminders-worker, process 4712"),
        ({"hello": "world"}, "something else, process unknown"),
    ],
)
def test_another_is_named_with_the_port(told: dict[str, object], said: str) -> None:
    assert probe.another(URL, told, OURS) == f"port 8100 is answered by another: {said}"


@pytest.mark.parametrize(("told", "process"), [(None, OURS), ({"pid": 1}, None)])
def test_where_nothing_can_be_compared_nobody_is_blamed(told: object, process: ProcessId | None) -> None:
    assert probe.another(URL, told, process) == ""


type Answering = Callable[[int, object], str]


@pytest.fixture
def answering() -> Iterator[Answering]:
    """Return what answers every question at an address with this status and body from now on."""
    told: list[tuple[int, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(told[-1][0])
            self.end_headers()
            self.wfile.write(json.dumps(told[-1][1]).encode())

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def answer(status: int, body: object) -> str:
        told.append((status, body))
        return f"http://127.0.0.1:{server.server_port}"

    yield answer
    server.shutdown()
    server.server_close()
    thread.join()


class Lives(Running):
    """Our process, which runs."""

    id = OURS
    log = Path("nowhere")
    exit_code = None


def part(url: str) -> ServiceProcess:
    """Return booking, started at this address."""

    def spawn(arguments: Sequence[str], env: Mapping[str, str], log: Path, folder: Path) -> Running:
        return Lives()

    made = ServiceProcess(["-m", "booking"], {}, Path("nowhere"), Path(), url, spawn)
    made.start()
    return made


def test_who_waits_for_a_part_does_not_take_another_for_it(answering: Answering) -> None:
    booking = part(answering(200, {"service": "booking", "pid": 1}))
    assert not booking.is_ready()
    assert "answered by another: booking, process 1" in booking.detail

    answering(200, {"service": "booking", "pid": OURS.pid})
    assert booking.is_ready()
    assert booking.detail == ""


def test_a_part_is_not_ended_because_another_says_that_it_is_stuck(answering: Answering) -> None:
    dying = {"reasons": {"consumer": "stands still"}}
    booking = part(answering(503, {**dying, "pid": 1}))
    assert booking.stuck() == ""

    answering(503, {**dying, "pid": OURS.pid})
    assert booking.stuck() == "consumer: stands still"


def test_who_asks_how_all_are_is_told_that_another_answers_and_nothing_of_how_it_is(answering: Answering) -> None:
    def asked(pid: int) -> dict[str, object]:
        url = answering(200, {"service": "booking", "pid": pid, "state": "ready", "lag": 7})
        seen = State(OURS, "ready", parts=(PartState("booking", "ready", operations_url=url, process=OURS),))
        (row,) = gather(seen.parts)
        return row

    other, ours = asked(1), asked(OURS.pid)

    assert (other["state"], other["lag"]) == ("another answers", None)
    assert "booking, process 1" in str(other["detail"])
    assert (ours["state"], ours["lag"]) == ("ready", 7)
