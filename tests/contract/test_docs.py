"""What the pages point at is there."""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.support.examples import ROOT

PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(
        page
        for folder in ("deploy", "schemas", "chassis", "stack", "services")
        for page in (ROOT / folder).rglob("*.md")
    ),
]
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
ANCHOR = re.compile(r"\]\(([^)#\s:]*)#([^)]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CELL = re.compile(r"(?<!\\)\|")
PATH = re.compile(r"`((?:tests|docs|schemas|chassis|stack|services|deploy|examples|bench)/[\w./*-]+)`")

OF_A_SERVICE = re.compile(
    r"`((?!(?:tests|docs|schemas|chassis|stack|services|deploy|examples|bench)/|test_)[\w/*]+\.py)`"
)

TEST = re.compile(r"`((?:test|i\d+)_\w+)`")
TESTS_OF_A_FILE = re.compile(r"`(tests/[\w/]+\.py)`: ((?:`\w+`(?:, )?)+)")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = [link for link in LINK.findall(page.read_text()) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, made as GitHub makes them."""
    text = FENCE.sub("", page.read_text())
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_anchor_of_a_link_is_a_heading_of_its_page(page: Path) -> None:
    links = [(page.parent / link if link else page, anchor) for link, anchor in ANCHOR.findall(page.read_text())]
    assert [(str(to), anchor) for to, anchor in links if to.suffix == ".md" and anchor not in headings(to)] == []


@pytest.mark.parametrize("page", [page for page in PAGES if page.parts[-3] != "services"], ids=name)
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    paths = PATH.findall(page.read_text())
    assert [path for path in paths if not list(ROOT.glob(path))] == []


@pytest.mark.parametrize("service", [folder.name for folder in (ROOT / "services").iterdir()])
def test_every_file_that_the_pages_of_a_service_name_is_one_of_its_files(service: str) -> None:
    pages = [ROOT / "services" / service / "README.md", *(ROOT / "docs" / service).glob("*.md")]
    named = {path for page in pages for path in OF_A_SERVICE.findall(page.read_text())}
    assert {path for path in named if not list((ROOT / "services" / service / "src").rglob(path))} == set()


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "recipes").glob("*.md")), ids=name)
def test_every_file_that_a_recipe_names_is_one_of_a_services_files(page: Path) -> None:
    named = {path for path in OF_A_SERVICE.findall(page.read_text()) if "/" in path}
    assert {path for path in named if not list((ROOT / "services").glob(f"*/src/*/{path}"))} == set()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_test_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    of_a_file = [(file, name) for file, names in TESTS_OF_A_FILE.findall(text) for name in TEST.findall(names)]
    elsewhere = {f"{file}: {name}" for file, name in of_a_file if f"def {name}(" not in (ROOT / file).read_text()}
    assert elsewhere | {name for name in TEST.findall(text) if name not in functions()} == set()


def test_every_promise_and_every_invariant_names_the_functions_that_prove_it() -> None:
    page = (ROOT / "docs" / "guarantees.md").read_text()
    proofs = dict(re.findall(r"^### (G\d+)\n(.*?)(?=^##)", page, re.MULTILINE | re.DOTALL))
    proofs |= dict(re.findall(r"^\| (I\d+) \|.*\| (.+) \|$", page, re.MULTILINE))
    numbers = re.findall(r"^\| ([GI]\d+) \|", page, re.MULTILINE)
    assert [n for n in numbers if "**Not built**" not in proofs[n] and not TEST.search(proofs[n])] == []


@cache
def functions() -> frozenset[str]:
    """Return the names of all test functions, and of those that check an invariant (tests/chaos)."""
    files = (ROOT / "tests").rglob("*.py")
    return frozenset(found for file in files for found in re.findall(r"\bdef ((?:test|i\d+)_\w+)", file.read_text()))


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=name)
def test_a_decision_has_its_context_its_line_its_consequences_and_its_check(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^\*\*(\w+)\b", text, re.MULTILINE) == ["Context", "Decision", "Consequences", "Check"]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "examples" / "README.md"], ids=name)
def test_every_row_of_a_table_has_the_cells_of_its_head(page: Path) -> None:
    uneven, width = [], 0
    for number, line in enumerate(page.read_text().splitlines(), start=1):
        cells = len(CELL.split(line.strip())) if line.startswith("|") else 0
        width = cells if not width or not cells else width
        if cells != width:
            uneven.append(number)
    assert uneven == []


def test_every_code_of_the_bad_input_page_is_one_that_the_services_give() -> None:
    page = (ROOT / "docs" / "bad-input.md").read_text()
    sources = "\n".join(
        file.read_text() for part in ("schemas", "chassis", "services") for file in (ROOT / part).rglob("src/**/*.py")
    )
    codes = set(re.findall(r"`([A-Z]{2,}(?:_[A-Z0-9]+)+|INVALID|INTERNAL)`", page))
    assert {code for code in codes if f'"{code}"' not in sources} == set()
