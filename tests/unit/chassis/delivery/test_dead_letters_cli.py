"""What a terminal shows of dead letters."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from chassis.delivery.dead_letter import DeadLetter
from chassis.delivery.dead_letters_cli import table_of
from chassis.process.terminal import show_all

AT = datetime(2027, 3, 1, 9, 5, 59, tzinfo=UTC)
MESSAGE = "the event's type is not one that this reader knows: appointment.reborn.v1"


def printed(width: int, letter: DeadLetter) -> str:
    written = io.StringIO()
    show_all(Console(file=written, width=width), [table_of([letter])])
    return written.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("topic", ["appointments", "a-long-prefix.reminders-worker-timers-changelog"])
def test_on_a_narrow_terminal_nothing_of_a_dead_letter_is_cut_off(width: int, topic: str) -> None:
    letter = DeadLetter(
        topic, 11, 123_456_789, b"", b"", (), "UNKNOWN_VERSION", MESSAGE, id=4711, state="open", recorded_at=AT
    )

    shown = printed(width, letter)

    assert max(map(len, shown.splitlines())) <= width
    each = ["4711", "open", f"{topic}[11]@123456789"[: width - 15], "UNKNOWN_VERSION", "2027-03-01", "09:05"]
    assert [word for word in [*each, *MESSAGE.split()] if word not in shown] == []
