"""What a terminal shows of dead letters."""

import io
import re
from datetime import UTC, datetime

import pytest
from rich.console import Console

from chassis.delivery.dead_letter import DeadLetter
from chassis.delivery.dead_letters_cli import table_of

AT = datetime(2027, 3, 1, 9, 5, 59, tzinfo=UTC)
MESSAGE = "the event's type is not one that this reader knows: appointment.reborn.v1"


def cells(width: int, letter: DeadLetter) -> list[str]:
    """Return what each column of the table's one row holds, put together again from its lines."""
    written = io.StringIO()
    Console(file=written, width=width).print(table_of([letter]))
    lines = [line.split("│")[1:-1] for line in written.getvalue().splitlines() if line.startswith("│")]
    return [re.sub(r"\s", "", "".join(parts)) for parts in zip(*lines, strict=True)]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("topic", ["appointments", "a-long-prefix.reminders-worker-timers-changelog"])
def test_on_a_narrow_terminal_nothing_of_a_dead_letter_is_cut_off(width: int, topic: str) -> None:
    letter = DeadLetter(
        topic, 11, 123_456_789, b"", b"", (), "UNKNOWN_VERSION", MESSAGE, id=4711, state="open", recorded_at=AT
    )

    shown = cells(width, letter)

    assert shown == [
        "4711", "open", f"{topic}[11]@123456789", "UNKNOWN_VERSION", MESSAGE.replace(" ", ""), "2027-03-0109:05"
    ]  # fmt: skip
