"""The jars of Apache Kafka: named and pinned by `jgo.lock.toml`, fetched by jgo, checked before use.

`python -m stack.jars` prints their class path, fetching those that are missing.

`jgo --class-path-only lock` makes `jgo.lock.toml` from `jgo.toml`: names, versions and one sha256 a jar.
"""

import fcntl
import hashlib
import os
import sys
import threading
import tomllib
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from chassis.process.errors import Misconfigured
from stack.folders import cache_folder

TOGETHER = 6  # downloads at a time: most are small, so it is waiting that takes the time
Progress = Callable[[int, int, int], None]
"""Told (jars that are there, jars in all, bytes that came in so far)."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One jar of the lock file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's name, as Maven repositories have it."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def place(self) -> Path:
        """Where it lies below a Maven repository's root."""
        return Path(*self.group.split("."), self.artifact, self.version, self.file_name)


def pins(lock_text: str | None = None) -> tuple[Pin, ...]:
    """Return the pinned jars, in class-path order."""
    text = lock_text or (files("stack") / "jgo.lock.toml").read_text("utf-8")
    found = []
    for entry in tomllib.loads(text)["dependencies"]:
        if not entry.get("sha256"):
            raise Misconfigured(f"jgo.lock.toml has no sha256 for {entry['artifactId']}: make it anew")
        found.append(Pin(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"]))
    return tuple(found)


def class_path(progress: Progress | None = None, lock_text: str | None = None) -> list[Path]:
    """Return the checked jars, fetching those that are missing (26 MB from nothing for the broker's).

    Args:
        lock_text: A lock file; None: the broker's.

    A jar on disk that differs from its pin (a download that broke off, say) is fetched once more.
    """
    repository = _repository()
    wanted = pins(lock_text)
    if all(matches(repository / pin.place, pin.sha256) for pin in wanted):
        return [repository / pin.place for pin in wanted]
    with _one_at_a_time(), ThreadPoolExecutor(TOGETHER) as together:
        counter = _Counter(len(wanted), progress)
        return list(together.map(lambda pin: _obtain(pin, repository, counter), wanted))


def matches(jar: Path, sha256: str) -> bool:
    """Say whether the file is there and is the pinned one."""
    if not jar.is_file():
        return False
    with jar.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == sha256


class _Counter:
    """Adds up what comes in on all downloads."""

    def __init__(self, jars: int, progress: Progress | None) -> None:
        self._all = jars
        self._there = 0
        self._bytes = 0
        self._progress = progress
        self._lock = threading.Lock()

    def add(self, jars: int = 0, count: int = 0) -> None:
        with self._lock:
            self._there += jars
            self._bytes += count
            if self._progress:
                self._progress(self._there, self._all, self._bytes)

    @contextmanager
    def reporter(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Count one download, in the way in which jgo tells of it."""
        yield lambda count: self.add(count=count)


def _obtain(pin: Pin, repository: Path, counter: _Counter) -> Path:
    jar = repository / pin.place
    if not matches(jar, pin.sha256):
        jar.unlink(missing_ok=True)
        jar = _fetch(pin, repository, counter)
        if not matches(jar, pin.sha256):
            raise Misconfigured(
                f"{pin.file_name} is not the pinned one (sha256 differs from jgo.lock.toml): "
                f"remove {jar} and try again; if it stays so, do not trust where it came from"
            )
    counter.add(jars=1)
    return jar


def _fetch(pin: Pin, repository: Path, counter: _Counter) -> Path:
    import requests  # jgo's own HTTP client; both are slow to import and not needed on a warm start

    with warnings.catch_warnings(action="ignore"):
        from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(PythonResolver(progress_callback=counter.reporter), repo_cache=repository, timeout=60)
    artifact = context.project(pin.group, pin.artifact).at_version(pin.version).artifact()
    try:
        return Path(artifact.resolve())
    except (RuntimeError, OSError, requests.RequestException) as error:
        raise Misconfigured(
            f"cannot fetch {pin.file_name} from Maven Central: {error}. "
            "Check the network, or point KAFKA_BOOTSTRAP_SERVERS at a broker that runs already"
        ) from error


def _repository() -> Path:
    """Return the local Maven repository, as jgo is set up on this machine."""
    with warnings.catch_warnings(action="ignore"):  # a library under jgo wants XDG_RUNTIME_DIR; we do not
        from jgo.config import GlobalSettings

        return Path(GlobalSettings.load().repo_cache)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one process fetch, the others wait and then find the jars there."""
    with (cache_folder() / "jars.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.stdout.write(os.pathsep.join(map(str, class_path())) + "\n")
