"""That somebody answers at our part's port does not say that our part is well."""

import pytest

from stack import probe
from stack.process import ProcessId

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
