"""What `attend up` says once everything is ready."""

from stack import services
from stack.process import ProcessId
from stack.state import PartState, State
from stack.view import moved, summary

USUAL = [
    PartState("kafka", "ready", "127.0.0.1:19092"),
    PartState("postgres", "ready", "127.0.0.1:15432/attend"),
    PartState("sinks", "ready", "http://127.0.0.1:8126", "http://127.0.0.1:8126"),
    *(
        PartState(
            one.name,
            "ready",
            f"{one.protocol}://127.0.0.1:{one.port}" if one.port else "",
            f"http://127.0.0.1:{one.operations_port}",
        )
        for one in services.ALL
    ),
]


def state(*changed: PartState) -> State:
    parts = {part.name: part for part in (*USUAL, *changed)}
    return State(ProcessId(1, 1.0), "ready", seconds=9.1, parts=tuple(parts.values()))


def test_at_the_usual_ports_nothing_is_said_of_them() -> None:
    assert moved(state()) == []


def test_each_address_that_is_another_for_a_port_in_use_is_said() -> None:
    booking = PartState("booking", "ready", "http://127.0.0.1:8104", "http://127.0.0.1:8110")
    worker = PartState("reminders-worker", "ready", "", "http://127.0.0.1:8116")
    postgres = PartState("postgres", "ready", "127.0.0.1:15433/attend")

    said = summary(state(booking, worker, postgres), foreground=False).splitlines()

    assert said[1:4] == [
        "Port 15432 is in use by another program: postgres is at 127.0.0.1:15433.",
        "Port 8100 is in use by another program: booking's API is at 127.0.0.1:8104.",
        "Port 8114 is in use by another program: reminders-worker's health, metrics and docs is at 127.0.0.1:8116.",
    ]


def test_servers_that_were_there_before_are_where_they_are() -> None:
    assert moved(state(PartState("kafka", "existing", "broker.example:9092"))) == []
