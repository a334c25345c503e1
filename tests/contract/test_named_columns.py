"""Statements name their columns: one that reads whatever is there breaks at the first column that is added."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.examples import ROOT

SOURCES = [
    file
    for part in ("chassis", "stack", "services")
    for file in sorted((ROOT / part).rglob("src/**/*"))
    if file.suffix in (".py", ".sql")
]
_COLUMN = r"(?:[\w$.\"]+\s*,\s*)"
STAR = re.compile(rf"\b(?:SELECT|RETURNING)\s+(?:DISTINCT\s+)?{_COLUMN}*(?:\w+\.)?\*|,\s*\w+\.\*", re.IGNORECASE)
A_ROW = re.compile(r"row|record\b|found_row|held_row")


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def stars(text: str) -> list[str]:
    return STAR.findall(text)


def spread_rows(tree: ast.AST) -> list[str]:
    """Return the calls that spread a row over a class or a function: `State(**row)`, `State(**dict(row))`."""
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg is None and _is_a_row(keyword.value)
    ]


def _is_a_row(value: ast.expr | None) -> bool:
    match value:
        case ast.Name(id=found):
            return bool(A_ROW.search(found))
        case ast.Call(func=ast.Name(id="dict"), args=args):
            return any(map(_is_a_row, args))
        case ast.Dict(keys=keys, values=values):
            return any(_is_a_row(v) for key, v in zip(keys, values, strict=True) if key is None)
        case ast.BinOp(left=left, right=right):
            return _is_a_row(left) or _is_a_row(right)
    return False


def texts(file: Path) -> list[str]:
    """Return what may be SQL: a whole `.sql` file, every string of a `.py` file with what is put into it left out."""
    if file.suffix == ".sql":
        return [re.sub(r"--[^\n]*", "", file.read_text())]
    return [
        "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
        if isinstance(node, ast.JoinedStr)
        else str(node.value)
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
    ]


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_every_statement_names_its_columns(file: Path) -> None:
    assert [found for text in texts(file) for found in stars(text)] == []


@pytest.mark.parametrize("file", [file for file in SOURCES if file.suffix == ".py"], ids=name)
def test_no_row_is_spread_over_a_class(file: Path) -> None:
    assert spread_rows(ast.parse(file.read_text())) == []


@pytest.mark.parametrize(
    "text",
    ["SELECT * FROM clinic", "select  *\nFROM a", "SELECT p.*, j.state FROM p", "SELECT j.state, p.* FROM p",
     "INSERT INTO a VALUES (1) RETURNING *", "SELECT DISTINCT *", "SELECT $1, * FROM unnest($2)",
     "SELECT *, $9 FROM x"],
)  # fmt: skip
def test_a_star_is_found_wherever_it_stands(text: str) -> None:
    assert stars(text)


@pytest.mark.parametrize("text", ["SELECT count(*) FROM a", "SELECT a * 2, b FROM c", "SELECT n*$1 FROM a", "a, b * c"])
def test_counting_and_multiplying_are_no_stars(text: str) -> None:
    assert not stars(text)


@pytest.mark.parametrize(
    "code", ["S(**row)", "S(**dict(row))", "S(1, **{**dict(row), 'a': 2})", "S(**a_row)", "S(**dict(row) | {})"]
)
def test_a_row_that_is_spread_is_found(code: str) -> None:
    assert spread_rows(ast.parse(code))
