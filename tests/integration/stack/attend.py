"""`attend` on a folder of its own, as a person runs it."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stack.home import Home
from stack.layout import python
from stack.process import ProcessId
from stack.state import State, read_state


class Attend:
    """The command on a folder of its own."""

    def __init__(self, home: Path) -> None:
        self.home = Home(home)
        unwanted = ("KAFKA_BOOTSTRAP_SERVERS", "DATABASE_ADMIN_URL", "DATABASE_URL", "ATTEND_TOPIC_PREFIX")
        self.env = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.env["ATTEND_HOME"] = str(home)

    def __call__(self, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run `attend <words>`, expect the exit code and return what it printed."""
        return self.run("stack", *words, code=code, env=env)

    def run(self, package: str, *words: str, code: int = 0, env: Mapping[str, str] | None = None) -> str:
        """Run `python -m <package> <words>` likewise."""
        command, settings = python("-m", package, *words), {**self.env, **(env or {})}
        done = subprocess.run(command, env=settings, capture_output=True, text=True, timeout=180, check=False)  # noqa: S603
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def state(self) -> State:
        """What the supervisor recorded."""
        state = read_state(self.home.state)
        assert state is not None
        return state

    def processes(self) -> list[ProcessId]:
        """Return every recorded process, the supervisor first."""
        return [self.state.supervisor, *(part.process for part in self.state.parts if part.process)]


@contextmanager
def cleaned_up(home: Path) -> Iterator[Attend]:
    """Give the command; what it left running is stopped, and its folder removed."""
    command = Attend(home)
    try:
        yield command
    finally:
        command("down")
        command("reset", "--yes")


def until(condition: Callable[[], bool]) -> None:
    """Look until it holds, for three minutes."""
    deadline = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
