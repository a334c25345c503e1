"""The product's packages and their files, as they lie in a tree: lines, lines of code, functions."""

import ast
import io
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Sized:
    """Something that can be too large.

    Attributes:
        size: Of a file or a function all its lines, docstring included; of a room or a folder its files.
        name: The file or folder, below its package; of a function its file, a colon and its name.
    """

    size: int
    name: str


@dataclass(frozen=True, slots=True)
class File:
    """A Python file that holds code.

    Attributes:
        place: Path below its package.
        lines: All its lines.
        code: Its lines without blank lines, comments and docstrings.
        functions: Each function and method in it, inner ones too.
    """

    place: PurePath
    lines: int
    code: int
    functions: tuple[Sized, ...]

    @property
    def room(self) -> str:
        """See `room_of`."""
        return room_of(self.place)

    @property
    def is_alone(self) -> bool:
        """Whether it stands beside the folders."""
        return len(self.place.parts) == 1


def room_of(place: PurePath) -> str:
    """Return the folder of the package that a file is in, however deep, or the file if it stands beside the folders."""
    return place.parts[0].removesuffix(".py")


def settings_of(root: Path) -> dict[str, Any]:
    """Return the `[tool.importlinter]` table of the tree's pyproject.toml."""
    settings: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    return settings


def packages(root: Path) -> dict[str, Path]:
    """Return the folder of each package that import-linter is told of, by its name.

    Raises:
        FileNotFoundError: A package has no folder `<member>/src/<package>`, one or two levels below the root.
    """
    found: dict[str, Path] = {}
    for name in settings_of(root)["root_packages"]:
        folders = [folder for level in ("*", "*/*") for folder in root.glob(f"{level}/src/{name}")]
        if not folders:
            raise FileNotFoundError(f"{root}: no folder src/{name}, which [tool.importlinter] root_packages names")
        found[name] = folders[0]
    return found


def files(package: Path) -> list[File]:
    """Read the package's files that hold code; an `__init__.py` with a docstring alone is none.

    Raises:
        FileNotFoundError: A folder of them has no `__init__.py`: it is no package, its imports would not be seen.
    """
    for folder in sorted({path.parent for path in package.rglob("*.py")}):
        if not (folder / "__init__.py").exists():
            raise FileNotFoundError(f"{folder}: no __init__.py; its imports would be seen by no contract")
    read = (_read(path, path.relative_to(package)) for path in sorted(package.rglob("*.py")))
    return [file for file in read if file.code]


def _read(path: Path, place: PurePath) -> File:
    text = path.read_text("utf-8")
    tree = ast.parse(text, str(path))
    functions = tuple(
        Sized((node.end_lineno or node.lineno) - node.lineno + 1, f"{place.as_posix()}:{node.name}")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    code = set(_token_lines(text)) - set(_docstring_lines(tree))
    return File(place, len(text.splitlines()), len(code), functions)


def _token_lines(text: str) -> Iterator[int]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            yield from range(token.start[0], token.end[0] + 1)


def _docstring_lines(tree: ast.Module) -> Iterator[int]:
    """Give the lines of every string that stands alone: docstrings, and those below an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from range(node.lineno, (node.end_lineno or node.lineno) + 1)
