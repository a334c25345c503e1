"""Where `attend status` leads on to."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from stack.commands.look import addresses, logs, way_to_dead_letters
from stack.home import Home


def row(part: str, dead_letters: int | None) -> dict[str, Any]:
    return {"part": part, "dead_letters": dead_letters}


def test_each_service_with_dead_letters_is_named_with_the_command_that_lists_them() -> None:
    rows = [row("kafka", None), row("booking", 0), row("records", 1), row("notifier", 12)]

    assert way_to_dead_letters(rows) == [
        "1 dead letter in records: attend dead-letters list records",
        "12 dead letters in notifier: attend dead-letters list notifier",
    ]


def test_parts_of_one_service_share_their_letters() -> None:
    rows = [row("reminders-worker", None), row("reminders-projector", 3), row("reminders-api", 3)]

    assert way_to_dead_letters(rows) == ["3 dead letters in reminders: attend dead-letters list reminders"]


def test_without_dead_letters_nothing_is_said() -> None:
    assert way_to_dead_letters([row("records", 0), row("sinks", None)]) == []


def test_each_part_is_shown_with_where_it_answers_in_80_characters() -> None:
    rows = [
        {"part": "booking", "url": "http://127.0.0.1:8104", "operations_url": "http://127.0.0.1:8110"},
        {"part": "reminders-projector", "url": "", "operations_url": "http://127.0.0.1:8115"},
    ]
    console = Console(width=80, record=True)

    console.print(addresses(rows))

    said = [line.split() for line in console.export_text().splitlines()]
    assert said[1:] == [
        ["booking", "http://127.0.0.1:8104", "http://127.0.0.1:8110"],
        ["reminders-projector", "-", "http://127.0.0.1:8115"],
    ]


@pytest.mark.parametrize(
    ("part", "said"), [("sinks", "Nothing is in the log of sinks yet.\n"), (None, "sinks | heard\n")]
)
def test_logs_without_a_line_say_so_and_not_on_stdout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], part: str | None, said: str
) -> None:
    monkeypatch.setenv("ATTEND_HOME", str(tmp_path))
    home = Home(tmp_path)
    home.make()
    home.log_of("sinks").write_text("" if part else "heard\n")

    logs(part)

    printed = capsys.readouterr()
    assert (printed.out, printed.err) == (("", said) if part else (said, ""))
