"""Every file of `examples/` is taken, sent as its README says and in that order."""

import re
from collections.abc import Iterator

from tests.support.booking.door import KEY, OPERATOR_KEY, Door
from tests.support.examples import ROOT

FOLDER = ROOT / "examples"


def sendings() -> Iterator[tuple[str, str, str]]:
    """Yield (method, path, file) of each file in the README's table; `the same` repeats the row above."""
    where = ("", "")
    for line in (FOLDER / "README.md").read_text().splitlines():
        cells = line.strip("|").split("|")
        files = re.findall(r"`([\w./-]+\.json)`", cells[0])
        if len(cells) != 3 or not files:
            continue
        asked = re.search(r"`(PUT|POST) (/[^`]+)`", cells[2])
        where = (asked[1], asked[2]) if asked else where
        yield from ((*where, file) for file in files)


PROGRAMS = ("node", "java")
"""Folders of programs, which `make examples` runs."""


def test_the_readme_names_every_example() -> None:
    files = {file.relative_to(FOLDER) for file in FOLDER.rglob("*.json")}
    there = {str(file) for file in files if file.parts[0] not in PROGRAMS}
    assert {file for _, _, file in sendings()} == there


async def test_every_example_is_taken_sent_as_its_readme_says(door: Door) -> None:
    found = {}
    for method, path, file in sendings():
        key = OPERATOR_KEY if "policy" in path else KEY
        answer = await door.ask(method, path, (FOLDER / file).read_bytes(), key=key)
        items = answer.json().get("results", []) if path == "/v1/events" else []
        found[file] = {answer.status_code, *(item["status"] for item in items)}
    assert {file: status for file, status in found.items() if not status <= {200, 201}} == {}
