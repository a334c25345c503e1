"""The shape of a package in figures: how many rooms, how large, how they hang together."""

import statistics
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bench.house import imports
from bench.house.files import File, Sized, files, packages, settings_of


@dataclass(frozen=True, slots=True)
class Shape:
    """The shape of one package.

    Attributes:
        rooms: Its rooms that are folders, by name.
        lone_files: Its rooms that are a file each, by name.
        files: How many files with code it has.
        files_a_room: Median of the folders; 0 if there is none.
        largest_room: The one of most files.
        side_by_side: The folder that directly holds most files, by its path from above the package.
        floors: As in `imports.Imports`.
        arrows: How many pairs of rooms are joined by an import.
        upward: As in `imports.Imports`.
        knots: As in `imports.Imports`.
        file_lines: Median of the files' lines.
        largest_file: The longest.
        function_lines: Median of the functions' lines.
        largest_function: The longest.
        lines: All lines.
        code: The lines without blank ones, comments and docstrings.
    """

    rooms: tuple[str, ...]
    lone_files: tuple[str, ...]
    files: int
    files_a_room: float
    largest_room: Sized
    side_by_side: Sized
    floors: int
    arrows: int
    upward: tuple[imports.Arrow, ...] | None
    knots: tuple[tuple[str, ...], ...]
    file_lines: float
    largest_file: Sized
    function_lines: float
    largest_function: Sized
    lines: int
    code: int


def house(root: Path) -> dict[str, Shape]:
    """Measure each package of the tree, in the order of its pyproject.toml."""
    folders = packages(root)
    floors = imports.contracts(settings_of(root))
    with imports.importable(folder.parent for folder in folders.values()):
        return {name: shape(name, files(folder), imports.read(name, floors)) for name, folder in folders.items()}


def shape(package: str, held: list[File], joined: imports.Imports) -> Shape:
    """Put a package's files and imports into figures.

    Args:
        package: Its name.
        held: One file at least.
        joined: The imports between their rooms.
    """
    rooms = Counter(file.room for file in held if not file.is_alone)
    functions = [function for file in held for function in file.functions]
    return Shape(
        rooms=tuple(sorted(rooms)),
        lone_files=tuple(sorted(file.room for file in held if file.is_alone)),
        files=len(held),
        files_a_room=statistics.median(rooms.values() or [0]),
        largest_room=_most(rooms),
        side_by_side=_most(Counter((package / file.place.parent).as_posix() for file in held)),
        floors=joined.floors,
        arrows=len(joined.arrows),
        upward=None if joined.upward is None else tuple(sorted(joined.upward)),
        knots=tuple(sorted(tuple(sorted(knot)) for knot in joined.knots)),
        file_lines=statistics.median(file.lines for file in held),
        largest_file=max(Sized(file.lines, file.place.as_posix()) for file in held),
        function_lines=statistics.median(function.size for function in functions) if functions else 0,
        largest_function=max(functions, default=Sized(0, "")),
        lines=sum(file.lines for file in held),
        code=sum(file.code for file in held),
    )


def _most(counted: Counter[str]) -> Sized:
    return max((Sized(size, name) for name, size in counted.items()), default=Sized(0, ""))
