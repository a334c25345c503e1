"""The pages of settings and metrics say what the code says."""

import subprocess
import sys

from tests.support.examples import ROOT


def test_the_made_pages_are_what_the_code_tells() -> None:
    command = [sys.executable, str(ROOT / "docs" / "site" / "made.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
