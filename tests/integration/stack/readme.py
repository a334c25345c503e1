"""The commands of the README's quick start, run as they are printed."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.support.examples import ROOT

BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


class QuickStart:
    """The README's shell blocks, in the shell of somebody who follows it.

    Args:
        key: What `attend key` prints.
        operator: What `attend key --operator` prints.
        urls: The address that the README gives → where this installation answers.
    """

    def __init__(self, key: str, operator: str, urls: Mapping[str, str]) -> None:
        self.blocks = BLOCK.findall((ROOT / "README.md").read_text())
        self._keys = f"KEY={key}\nOPERATOR={operator}"
        self._urls = urls

    def run(self, number: int, *, id_: str = "") -> str:
        """Run the block of this number after the first, which says what `api` is, and return what it printed."""
        definitions = "\n".join(line for line in self.blocks[0].splitlines() if re.match(r"\w+\(\) ", line))
        block = re.sub(r"^ID=…", f"ID={id_}", self.blocks[number], flags=re.MULTILINE)
        for said, real in self._urls.items():
            block = block.replace(said, real)
        script = f"set -euo pipefail\n{self._keys}\n{definitions}\n{block}"
        done = subprocess.run(  # noqa: S603  # the README's own words
            ["bash", "-c", script],  # noqa: S607  # whatever bash there is
            cwd=Path(ROOT), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
