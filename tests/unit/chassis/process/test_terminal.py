"""Tables for people: whatever the width, each word of a table is there whole, as long as one line has room for it."""

import io

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chassis.process import terminal
from chassis.process.terminal import PIPED, console, fitted, show_all

ID = "01a20fc8-df9c-7286-8b96-1f46c6059e45"
FILE = "FILE-2027-000001-NORTH-01"
WHY = "the carrier took it and could not deliver it: HTTP_400_21211"

TABLES = {
    "an id, a file and a sentence": [("id", ID), ("number", FILE), ("why", WHY)],
    "two ids": [("message", ID), ("sent again as", ID[::-1])],
    "many short ones": [(f"column {n}", f"VALUE_{n}_OF_ANY_LENGTH") for n in range(9)],
    "a code and nothing else": [("code", "A" * 40)],
    "empty cells": [("id", ID), ("reason", ""), ("number", FILE), ("by", "")],
}


def table_of(cells: list[tuple[str, str]], *, whole: bool, box: bool = True) -> Table:
    table = Table(title=None) if box else Table(box=None, pad_edge=False)
    for name, value in cells:
        table.add_column(name, no_wrap=whole and " " not in value)
    table.add_row(*(value for _, value in cells))
    return table


def printed(table: Table, width: int) -> str:
    out = io.StringIO()
    show_all(Console(file=out, width=width), [table])
    return out.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 160])
@pytest.mark.parametrize("box", [True, False])
@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("cells", TABLES.values(), ids=TABLES)
def test_no_word_of_a_table_is_cut_and_no_line_is_longer_than_the_terminal(
    cells: list[tuple[str, str]], whole: bool, box: bool, width: int
) -> None:
    shown = printed(table_of(cells, whole=whole, box=box), width)

    assert [word for _, value in cells for word in value.split() if word not in shown] == []
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown


def test_a_table_that_has_room_stays_one() -> None:
    table = table_of(TABLES["two ids"], whole=True)

    assert fitted(table, Console(width=160)) is table
    assert fitted(table_of(TABLES["two ids"], whole=True), Console(width=60)) is not table


def test_a_row_without_room_is_a_block_of_its_cells_with_their_headings_but_for_the_empty_ones() -> None:
    table = table_of([("id", ID), ("number", FILE), ("reason", ""), ("why", WHY)], whole=True)
    table.title = "sub-files"

    lines = [line.rstrip() for line in printed(table, 60).splitlines()]

    assert lines == ["sub-files", ID, f"  number  {FILE}", f"  why     {WHY[:45]}", f"          {WHY[46:]}"]


def test_a_word_that_no_line_has_room_for_goes_on_below_itself() -> None:
    shown = printed(table_of([("id", ID), ("url", "u" * 100)], whole=True), 60)

    assert shown.count("u") == 100 + len("url".replace("rl", ""))


def test_what_is_markup_in_a_text_stays_a_text() -> None:
    table = Table("id", "name")
    table.add_row(ID, Text("[red]Ada[/red]"))

    assert "[red]Ada[/red]" in printed(table, 40)


def test_in_a_pipe_each_row_is_one_line_unless_columns_says_how_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == PIPED
    monkeypatch.setenv("COLUMNS", "60")
    assert console().width == 60
    assert terminal.console().width == 60


@pytest.mark.parametrize("width", [100, 120, 160])
def test_a_column_that_has_a_greatest_width_leaves_the_others_theirs(width: int) -> None:
    """Its long cells wrap: counted as wide as they are, they would take the room of those that must not wrap."""
    out = io.StringIO()
    table = Table(box=None, pad_edge=False)
    table.add_column("when", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("why", overflow="fold", max_width=24)
    table.add_row("2027-03-16 08:00:00", "word " * 30, "the clinician takes the consent herself")

    show_all(Console(file=out, width=width, force_terminal=False), [table])

    assert out.getvalue().splitlines()[1].startswith("2027-03-16 08:00:00  word word")
