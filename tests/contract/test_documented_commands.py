"""Every `attend …` that a page or a message names is one that can be typed: each word and each option is there."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from booking.__main__ import app as booking
from notifier.__main__ import app as notifier
from stack.__main__ import app as attend
from stack.commands import forward, of_service
from tests.contract.test_docs import PAGES, name
from tests.integration.stack.pages import blocks, pages
from tests.support.examples import ROOT

HANDED_ON = {
    "dead-letters": of_service.dead_letters(forward.forward),
    "retention": of_service.retention(forward.forward),
    "settings": of_service.settings(forward.alone),
    "metrics": of_service.metrics(forward.alone),
    "clients": booking,
    "import": booking,
    "no-show": booking,
    "templates": notifier,
}
"""Words whose further words are another program's; of a service the word itself is one too."""

QUOTED = re.compile(r"`(?:\.venv/bin/)?attend ([^`]+)`")
PROMPT = re.compile(r"^(?:\$ (?:\.venv/bin/)?)?attend (\S.*)$", re.MULTILINE)
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
SUBSTITUTED = re.compile(r"\$\((?:\.venv/bin/)?attend ([^)]+)\)")
WORD = re.compile(r"[A-Za-z][\w-]*$")


def commands(text: str) -> Iterator[str]:
    """Yield what stands after `attend` wherever a page shows it, without a comment or a table's second column."""
    for fenced in FENCE.findall(text):
        for found in PROMPT.findall(fenced):
            yield re.split(r"\s{2,}|\s#\s", found)[0]
    for found in (*QUOTED.findall(FENCE.sub("", text)), *SUBSTITUTED.findall(text)):
        yield " ".join(found.split())


def wrong(command: str) -> str | None:
    """Return the first word or option that is not there, or None."""
    words, here = shlex.split(command, posix=False), _tree(attend)
    while getattr(here, "commands", None) is not None and words and WORD.match(words[0]):
        word = words.pop(0)
        if word not in here.commands:
            return word
        below = here.commands[word]
        if here is TREE and word in HANDED_ON:
            theirs = _tree(HANDED_ON[word])
            below = theirs.commands[word] if word in getattr(theirs, "commands", {}) else theirs
        here = below
    options = {option for one in here.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    given = [word.partition("=")[0].rstrip(",.;") for word in words if re.match(r"--?[a-z]", word)]
    return next((option for option in given if option not in options), None)


def _tree(app: typer.Typer) -> Any:
    return TREE if app is attend else typer.main.get_command(app)


TREE: Any = typer.main.get_command(attend)


@pytest.mark.parametrize("page", [*PAGES, ROOT / "examples" / "README.md"], ids=name)
def test_every_command_that_a_page_shows_can_be_typed(page: Path) -> None:
    assert [(one, word) for one in commands(page.read_text()) if (word := wrong(one))] == []


@pytest.mark.parametrize("part", ["chassis", "stack", "services", "schemas"])
def test_every_command_that_a_message_or_a_docstring_names_can_be_typed(part: str) -> None:
    told = [
        (str(file.relative_to(ROOT)), one)
        for file in (ROOT / part).rglob("src/**/*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for one in commands(node.value)
    ]
    assert [(where, one, word) for where, one in told if (word := wrong(one))] == []


def test_the_list_of_commands_has_each_of_them() -> None:
    text = (ROOT / "stack" / "README.md").read_text()
    listed = {one.split()[0] for one in commands(FENCE.findall(text)[0].join(("```\n", "```\n")))}
    assert listed == set(TREE.commands)


def test_enough_is_found_to_look_at() -> None:
    found = {one.split()[0] for page in PAGES for one in commands(page.read_text())}
    assert {"up", "status", "key", "why", "clients", "policy", "sending", "work-list", "dead-letters"} <= found


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("dead-letters records list", "records"),
        ("dead-letters SERVICE …", "SERVICE"),
        ("dead-letters skip SERVICE TOPIC 0 --too 3", "--too"),
        ("retention booking --dry", "--dry"),
        ("clients make riverside", "make"),
        ("up --detached", "--detached"),
        ("templates lint --all", "--all"),
        ("statuss", "statuss"),
        ("dead-letters skip SERVICE …", None),
        ("key --operator", None),
    ],
)
def test_what_cannot_be_typed_is_found(command: str, word: str | None) -> None:
    assert wrong(command) == word


def test_a_block_uses_no_variable_that_no_block_before_it_has_set() -> None:
    """As `test_every_page_can_be_followed_command_by_command` would find, without a system to run them on."""
    known, unknown = {"HOME"}, set()
    for page in pages():
        for block in blocks(page):
            known |= set(re.findall(r"\b([A-Z][A-Z_]*)=", block))
            unknown |= {(page, used) for used in re.findall(r"\$\{?([A-Z][A-Z_]*)", block) if used not in known}

    assert unknown == set()
