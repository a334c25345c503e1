"""The figures as tables for a screen."""

from collections.abc import Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from bench.house.shape import Shape
from bench.house.touched import Touched

type Change = Mapping[str, Sequence[str]]
"""`files`, `product` and `rooms`, as in `Touched`."""


def shapes(measured: Mapping[str, Shape]) -> Table:
    """Return a column a package, of counts alone; a pair is the median and the most."""
    table = Table("", box=SIMPLE_HEAD, pad_edge=False)
    for name in measured:
        table.add_column(name, justify="right", no_wrap=True)
    columns = [_column(shape) for shape in measured.values()]
    for line in columns[0]:
        table.add_row(line, *(column[line] for column in columns))
    return table


def named(measured: Mapping[str, Shape]) -> Text:
    """Return what the counts leave open: the largest by name, the upward arrows, the knots, and all lines together."""
    lines = [line for name, shape in measured.items() for line in _named(name, shape)]
    total, code = (
        sum(sizes) for sizes in zip(*((shape.lines, shape.code) for shape in measured.values()), strict=True)
    )
    return Text("\n".join([*lines, f"all: {total} lines, {code} of code"]))


def touched(change: Touched) -> Table:
    """Return the files, those of the product in bold, the rooms, and how many there are of each."""
    table = Table(_counts(change.files, change.product, change.rooms), box=SIMPLE_HEAD, pad_edge=False)
    for path in change.files:
        table.add_row(path, style="bold" if path in change.product else None)
    table.add_section()
    for room in change.rooms:
        table.add_row(room)
    return table


def changes(recorded: Mapping[str, Mapping[str, Change]]) -> Table:
    """Return a line a change and a column a label."""
    table = Table("", *recorded, box=SIMPLE_HEAD, pad_edge=False)
    for name in dict.fromkeys(name for tried in recorded.values() for name in tried):
        found = [tried.get(name) for tried in recorded.values()]
        table.add_row(name, *(_counts(one["files"], one["product"], one["rooms"]) if one else "" for one in found))
    return table


def _column(shape: Shape) -> dict[str, str]:
    return {
        "rooms: folders": str(len(shape.rooms)),
        "rooms: lone files": str(len(shape.lone_files)),
        "files a folder": f"{shape.files_a_room:.0f}, {shape.largest_room.size}",
        "side by side": str(shape.side_by_side.size),
        "floors": str(shape.floors),
        "arrows": str(shape.arrows),
        "upward": "-" if shape.upward is None else str(len(shape.upward)),
        "knots": str(len(shape.knots)),
        "lines a file": f"{shape.file_lines:.0f}, {shape.largest_file.size}",
        "lines a function": f"{shape.function_lines:.0f}, {shape.largest_function.size}",
        "lines": str(shape.lines),
        "of code": str(shape.code),
    }


def _counts(files: Sequence[str], product: Sequence[str], rooms: Sequence[str]) -> str:
    return f"files {len(files)}, of the product {len(product)}, rooms {len(rooms)}"


def _named(name: str, shape: Shape) -> Iterator[str]:
    yield f"{name}: largest file {shape.largest_file.name}, function {shape.largest_function.name}"
    yield from (f"{name}: upward {one} → {other}" for one, other in shape.upward or ())
    yield from (f"{name}: knot {' ↔ '.join(knot)}" for knot in shape.knots)
