"""What a docstring or a page names by its dotted or file name is there."""

import ast
import importlib
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from tests.contract.test_docs import PAGES, name
from tests.contract.test_signposts import FOLDERS
from tests.support.examples import ROOT

SOURCES = {
    source.name: source
    for pattern in ("*/src/*", "services/*/src/*")
    for source in ROOT.glob(pattern)
    if (source / "__init__.py").exists()
}
"""Package → its folder."""

DOTTED = re.compile(r"`([a-z_]\w*(?:\.\w+)+)(?:\(\))?`")
FILE = re.compile(r"`(?:[\w-]+/)*([\w-]+\.(?:py|sql|sh|toml|yml))`")
ENDINGS = ("py", "md", "toml", "sql", "txt", "html", "json")

NO_PYTHON = frozenset(
    {
        "offsets.retention.minutes",  # Kafka's settings
        "transactional.id.expiration.ms",
        "noun.verb.v2",  # the form of an event's type
        "noun.verb.vN",
        "clinic_day.due",  # an event
        "appointment.start",  # fields of JSON
        "error.code",
        "booking.send_gate",  # functions and columns of the database
        "booking.person_gate",
        "booking.clinic_gate",
        "clinic.policies",
        "asked.account",
    }
)


def docstrings(tree: ast.Module) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield each docstring, also of a constant, with the parameters of the function that it is of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = getattr(node, "args", None)
            names = [arg.arg for arg in (*arguments.args, *arguments.kwonlyargs)] if arguments else []
            for below in node.body:
                match below:
                    case ast.Expr(value=ast.Constant(value=str(text))):
                        yield text, frozenset(names)


@cache
def modules(package: str) -> dict[str, tuple[str, ...]]:
    """Return the importable names of a package's modules, by the last part of each."""
    found: dict[str, list[str]] = {}
    for file in SOURCES[package].rglob("*.py"):
        parts = file.relative_to(SOURCES[package].parent).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts[-1] != "__main__":
            found.setdefault(parts[-1], []).append(".".join(parts))
    return {last: tuple(names) for last, names in found.items()}


def is_there(package: str, dotted: str) -> bool:
    """Say whether a dotted name leads to something: from its package's modules, or from any that can be imported."""
    first, *rest = dotted.split(".")
    starts = modules(package).get(first, ()) + ((first,) if first in sys.modules or find_spec(first) else ())
    return any(_leads(importlib.import_module(start), rest) for start in starts)


def _leads(here: object, rest: list[str]) -> bool:
    for part in rest:
        if isinstance(here, ModuleType) and not hasattr(here, part):
            try:
                importlib.import_module(f"{here.__name__}.{part}")
            except ImportError:
                return False
        annotated = getattr(here, "__annotations__", {})
        if not hasattr(here, part):
            return part in annotated
        here = getattr(here, part)
    return True


@pytest.mark.parametrize("package", sorted(SOURCES))
def test_every_dotted_name_in_a_docstring_is_there(package: str) -> None:
    named = [
        (str(file.relative_to(SOURCES[package])), dotted)
        for file in SOURCES[package].rglob("*.py")
        for text, arguments in docstrings(ast.parse(file.read_text()))
        for dotted in DOTTED.findall(text)
        if dotted.rpartition(".")[2] not in ENDINGS and dotted.partition(".")[0] not in arguments
    ]
    assert [(file, dotted) for file, dotted in named if dotted not in NO_PYTHON and not is_there(package, dotted)] == []


@pytest.mark.parametrize(
    ("dotted", "there"),
    [
        ("handle.one_by_one.OneByOne", True),
        ("handle.one_by_one.Others", False),
        ("lanes.handle.one_by_one", True),
        ("chain.TRIED", True),
        ("states.TRIED", False),
        ("tending.settle_late", False),
        ("asyncio.to_thread", True),
        ("asyncio.to_threads", False),
        ("schemas.reminders.Reason", True),
        ("schemas.reminders.Reasons", False),
        ("limits.Limits.places", True),
        ("limits.Limits.slots", True),
        ("limits.Limits.place", False),
    ],
)
def test_a_name_that_leads_nowhere_is_found(dotted: str, there: bool) -> None:
    assert is_there("notifier", dotted) is there


@cache
def files() -> frozenset[str]:
    """Return the names of all files of the repository."""
    return frozenset(file.name for folder in FOLDERS for file in (ROOT / folder).rglob("*")) | {
        file.name for file in ROOT.iterdir()
    }


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_file_that_a_page_names_is_one_of_the_repository(page: Path) -> None:
    assert {file for file in FILE.findall(page.read_text()) if file not in files()} == set()
