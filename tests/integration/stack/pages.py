"""The commands of the pages, run as they are printed: page after page, in one shell."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.support.examples import ROOT

FENCE = re.compile(r"^```(console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CONTAINERS_AND_OTHER_LANGUAGES = re.compile(r"\b(docker|npm|npx|node|java|mvn)\b")
"""A block in which one of these is a word is run by another test: by that of the images, or by `make examples`."""

FIRST = ("README.md", "examples/README.md", "services/booking/README.md", "docs/booking/people.md")
"""In this order: what each enters, the next ones take for granted."""

OF_THE_IMAGES = "deploy/README.md"
"""Its commands are of containers, but for what sets their stage."""


def pages() -> list[str]:
    """Return every page that shows commands, in the order in which they are followed; local carriers fail last."""
    others = [*ROOT.glob("services/*/README.md"), *ROOT.glob("deploy/*.md"), *ROOT.glob("docs/**/*.md")]
    named = (str(page.relative_to(ROOT)) for page in sorted(others))
    return [*FIRST, *(page for page in named if page not in {*FIRST, OF_THE_IMAGES}), "stack/README.md"]


def blocks(page: str) -> Iterator[str]:
    """Give each block of commands as a shell is given it: of a console what follows the prompt, without the answers."""
    for kind, text in FENCE.findall((ROOT / page).read_text()):
        if CONTAINERS_AND_OTHER_LANGUAGES.search(_without_comments(text)):
            continue
        lines = text.splitlines() if kind == "sh" else list(_typed(text.splitlines()))
        yield "\n".join(line for line in lines if not line.startswith("make "))


def _without_comments(text: str) -> str:
    return re.sub(r"\s#.*", "", text)


def _typed(lines: list[str]) -> Iterator[str]:
    """Give what is typed at the prompt, to the end of its last quotation and past each backslash at a line's end."""
    typed = ""
    for line in lines:
        if line.startswith("$ ") or typed:
            typed += line.removeprefix("$ ") if not typed else f"\n{line}"
            if not typed.endswith("\\") and _is_closed(typed):
                yield from typed.splitlines()
                typed = ""


def _is_closed(typed: str) -> bool:
    try:
        shlex.split(typed, comments=True)
    except ValueError:
        return False
    return True


LOOP = """
set -euo pipefail
curl() { command curl --fail-with-body "$@"; }
while read -r file; do . "$file"; done
"""
"""Takes the names of files of commands."""


class Shell:
    """A shell in a folder that has what a clone has; a command that fails, or an answer of 400 or more, ends it.

    Args:
        urls: The address that a page gives → where this installation answers.
    """

    END = "-- the block has ended --"

    def __init__(self, folder: Path, env: Mapping[str, str], urls: Mapping[str, str]) -> None:
        for name in (".venv", "examples", "deploy", "docs"):
            (folder / name).symlink_to(ROOT / name)
        self._urls = urls
        self._process = subprocess.Popen(  # noqa: S603  # the pages' own words
            ["bash", "-c", LOOP],  # noqa: S607  # whatever bash there is
            cwd=folder, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._folder = folder

    def run(self, name: str, block: str) -> str:
        """Run a block and return what it printed."""
        for said, real in self._urls.items():
            block = block.replace(said, real)
        file = self._folder / "block.sh"
        file.write_text(f"{{\n:\n{block}\n}} </dev/null\nprintf '\\n%s\\n' '{self.END}'\n")
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{file}\n")
        self._process.stdin.flush()
        told: list[str] = []
        for line in self._process.stdout:
            if line.rstrip() == self.END:
                return "".join(told).removesuffix("\n")
            told.append(line)
        raise AssertionError(f"{name} failed:\n{block}\n\n{''.join(told)}")

    def close(self) -> None:
        """End the shell."""
        self._process.kill()
        self._process.communicate()
