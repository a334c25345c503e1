"""Tables for people: on a narrow terminal or in a pipe, no word of one is cut off."""

import os
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

PIPED = 1_000
"""Characters of a line where nobody looks and COLUMNS says nothing: each row is one line there, for `grep`."""


def console() -> Console:
    """Return where to print: as wide as the terminal or COLUMNS, and in a pipe as wide as any row."""
    made = Console()
    return made if made.is_terminal or os.environ.get("COLUMNS") else Console(width=PIPED)


def show_all(where: Console, parts: Iterable[RenderableType]) -> None:
    """Print the parts one below the other, each table so that it fits."""
    for part in parts:
        where.print(fitted(part, where) if isinstance(part, Table) else part)


def fitted(table: Table, where: Console) -> RenderableType:
    """Return the table if every word of it has room in its column, else its rows as lines, one for each cell.

    Cells wrap between words alone, those of a column with `no_wrap` not at all. The table's columns get their widths.
    """
    wide = where.options.update(width=PIPED)
    need, want = [], []
    for column in table.columns:
        column.width = None
        sizes = [Measurement.get(where, wide, cell) for cell in (column.header, *column.cells)]
        want.append(min(max(size.maximum for size in sizes), column.max_width or PIPED))
        need.append(want[-1] if column.no_wrap else min(max(size.minimum for size in sizes), want[-1]))
    room = where.width - (Measurement.get(where, wide, table).maximum - sum(want))
    if sum(want) <= room:
        return table
    if sum(need) > room:
        return _as_lines(table)
    spare, wished = room - sum(need), sum(want) - sum(need)
    for column, least, most in zip(table.columns, need, want, strict=True):
        column.width = least + spare * (most - least) // wished
        column.overflow = "fold"
    return table


def _as_lines(table: Table) -> Group:
    """Return each row as a block: its first cell, and below it the others that hold anything, with their headings."""
    parts: list[RenderableType] = [Text.from_markup(table.title)] if isinstance(table.title, str) else []
    first, *others = table.columns
    rows = zip(*(column.cells for column in table.columns), strict=True)
    for name, *cells in rows:
        block = Table.grid(padding=(0, 2, 0, 0))
        block.add_column(no_wrap=True)
        block.add_column(overflow="fold")
        for column, cell in zip(others, cells, strict=True):
            if str(cell):
                block.add_row(Text(f"  {column.header}"), cell)
        head = Table.grid()
        head.add_column(overflow="fold", style="bold")
        head.add_row(name if str(name) or not first.header else "-")
        parts += [head, block]
    return Group(*parts)
