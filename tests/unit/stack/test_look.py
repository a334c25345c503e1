"""Where `attend status` leads on to."""

from typing import Any

from stack.commands.look import way_to_dead_letters


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
