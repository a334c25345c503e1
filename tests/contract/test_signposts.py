"""Signposts lead to a place inside: every number, section and fact that is cited is explained on a page of docs."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache

import pytest

from tests.support.examples import ROOT

DOCS = ROOT / "docs"
FOLDERS = ("bench", "chassis", "deploy", "docs", "examples", "schemas", "services", "stack", "tests")
KINDS_OF_FILE = frozenset({".py", ".sql", ".md", ".toml", ".sh", ".yml", ".j2"})

NUMBER = re.compile(r"\b([RDBGI])(\d{1,2})(?:[-\u2013]\1(\d{1,2}))?\b")
"""A number or a range of them. Names of lint rules have three digits; FHIR's releases R4 and R5 are rows too."""
IN_A_NAME = re.compile(r"(?<=_)[rdbgi]\d{1,2}(?=_|$|\()")
BEGINNING = re.compile(r"test_(?:[rdbgi]\d{1,2}_)*")
ROW = re.compile(r"^\| ([RDBGI]\d{1,2}) \|.*\| ([^|]+) \|$", re.MULTILINE)
NOT_BUILT = "**Not built"

NEEDS_A_TEST = "RDBG"
"""Invariants are looked for by the checker of tests/chaos, after each run and not by a test each."""


@cache
def texts() -> dict[str, str]:
    """Return every text of the repository that may cite something, by its path."""
    files = [file for folder in FOLDERS for file in (ROOT / folder).rglob("*") if file.suffix in KINDS_OF_FILE]
    files += [*ROOT.glob("*.md"), *(ROOT / "schemas" / "json").glob("*.json"), ROOT / "Makefile"]
    return {str(file.relative_to(ROOT)): file.read_text() for file in files}


def numbers_of(text: str) -> Iterator[str]:
    """Yield the numbers that a text cites, those within a range too, and those in names of tests."""
    for kind, first, last in NUMBER.findall(text):
        yield from (f"{kind}{number}" for number in range(int(first), int(last or first) + 1))
    for name in re.findall(r"\bdef (test_\w+)", text):
        yield from (number.upper() for number in IN_A_NAME.findall(name))


@cache
def rows() -> dict[str, str]:
    """Return the last cell of each row that explains a number: where it is met, or that it is not."""
    return dict(ROW.findall("\n".join((DOCS / page).read_text() for page in ("requirements.md", "guarantees.md"))))


@cache
def named_by_tests() -> frozenset[str]:
    """Return the numbers that the name or the docstring of a test, or the docstring of its file, names."""
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text())
        tests = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        tests = [node for node in tests if node.name.startswith("test_")]
        said = [ast.get_docstring(node) or "" for node in (tree, *tests)] if tests else []
        found.update(numbers_of(re.sub(r"FHIR R\d", "FHIR", "\n".join(said))))
        found.update(number.upper() for node in tests for number in IN_A_NAME.findall(node.name))
    return frozenset(found)


def astray(pattern: str, places: Iterable[str]) -> list[str]:
    """Return where the repository cites something, by the groups of a pattern, that is none of the places."""
    known = set(places)
    return [
        f"{file}: {match[0]}"
        for file, text in texts().items()
        for match in re.finditer(pattern, text)
        if not known.issuperset(filter(None, match.groups()))
    ]


def test_every_number_that_is_cited_is_explained() -> None:
    assert [(file, n) for file, text in texts().items() for n in sorted(set(numbers_of(text))) if n not in rows()] == []


def test_a_number_is_explained_once() -> None:
    pages = [(DOCS / page).read_text() for page in ("requirements.md", "guarantees.md")]
    explained = [number for page in pages for number, _ in ROW.findall(page)]
    assert [number for number in rows() if explained.count(number) > 1] == []


def test_numbers_stand_at_the_beginning_of_a_tests_name() -> None:
    tests = [(file, name) for file, text in texts().items() for name in re.findall(r"\bdef (test_\w+)", text)]
    assert [(file, name) for file, name in tests if IN_A_NAME.search(BEGINNING.sub("_", name, count=1))] == []


@pytest.mark.parametrize("number", [number for number in rows() if number[0] in NEEDS_A_TEST])
def test_a_test_names_what_is_built_and_no_test_names_what_is_not(number: str) -> None:
    built = not rows()[number].startswith(NOT_BUILT)
    assert (number in named_by_tests()) == built


def test_every_section_of_the_design_that_is_cited_is_a_heading() -> None:
    headings = re.findall(r"^## (\d+)\. ", (DOCS / "design.md").read_text(), re.MULTILINE)
    assert astray(r"§ ?(\d+)", headings) == []


def test_every_fact_about_faust_that_is_cited_has_its_row() -> None:
    facts = re.findall(r"^\| (\d+) \|", (DOCS / "faust.md").read_text(), re.MULTILINE)
    assert astray(r"\bfacts? (\d+)(?: and (\d+))?", facts) == []


def test_every_decision_that_is_cited_is_a_record() -> None:
    records = [file.name[:4] for file in (DOCS / "decisions").glob("0*.md")]
    assert astray(r"\bdecisions? (\d{4})\b|[(\[ ](0\d{3})[)\]]", records) == []


def test_every_page_that_code_names_is_there() -> None:
    pages = {page.name for page in ROOT.glob("*.md")} | {page.name for page in DOCS.rglob("*.md")} | {"README.md"}
    assert astray(r"\b([\w-]+\.md)\b", pages) == []
