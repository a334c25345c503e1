"""The release before this one, as it was: unpacked from the repository's history and run as processes of its own."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.examples import ROOT

PREVIOUS_RELEASE = "609dda7"
"""The commit that is in use and is replaced next; moved on when a release is made. Instances of it run for a while, and
may start again, on the schema of this one (decision 0020)."""

_PACKAGES = ("chassis", "schemas", "services/booking", "services/records", "services/reminders", "services/notifier")


class Release:
    """The services of one release, run as processes.

    Args:
        folder: Where their logs go.
        env: Their settings.
    """

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._folder = folder
        self._env = {**os.environ, **env}

    def run(self, service: str, *arguments: str) -> str:
        """Run a command of the service to its end and return what it wrote."""
        command = [sys.executable, "-m", service, *arguments]
        done = subprocess.run(  # noqa: S603  # our own
            command, env=self._env, cwd=self._folder, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def start(self, service: str, **env: str) -> subprocess.Popen[bytes]:
        """Start the service."""
        with (self._folder / f"{service}.log").open("ab") as log:
            command = [sys.executable, "-m", service, "run"]
            return subprocess.Popen(  # noqa: S603  # our own
                command, env={**self._env, **env}, cwd=self._folder, stdout=log, stderr=subprocess.STDOUT
            )


def previous(folder: Path, env: dict[str, str]) -> Release:
    """Return the release before, its sources unpacked into the folder."""
    archive = folder / "release.tar"
    subprocess.run(["git", "archive", "-o", archive, PREVIOUS_RELEASE], cwd=ROOT, check=True)  # noqa: S603, S607
    subprocess.run(["tar", "xf", archive], cwd=folder, check=True)  # noqa: S603, S607
    sources = os.pathsep.join(str(folder / package / "src") for package in _PACKAGES)
    return Release(folder, {**env, "PYTHONPATH": sources})
