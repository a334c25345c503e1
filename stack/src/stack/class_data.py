"""Class-data archives: what Java learned about the broker's classes, kept so that the next start takes half the time.

An archive fits one Java and one class path only, hence its name. It is made when a run ends in order, in the cache
folder, where it outlives the installation: it can always be made again.
"""

import contextlib
import hashlib
import os
import subprocess
from pathlib import Path

from stack.folders import cache_folder
from stack.java import Java

DUMP_TIMEOUT_S = 60  # a second of work


class ClassData:
    """Chooses the options of a start, and keeps what that run made."""

    def __init__(self, folder: Path) -> None:
        """Let runs put a new archive into this folder first."""
        self._folder = folder

    def options(self, java: Java, class_path: str) -> list[str]:
        """Return the options that use the archive, or that make one when this run ends."""
        key = hashlib.sha256(f"{java.executable}\n{java.version}\n{class_path}".encode()).hexdigest()[:16]
        base = _base(java)
        archive = cache_folder() / f"kafka-{key}.jsa"
        if archive.exists():
            files = [str(base), str(archive)] if base else [str(archive)]
            return [f"-XX:SharedArchiveFile={os.pathsep.join(files)}", "-Xshare:auto"]
        new = [f"-XX:ArchiveClassesAtExit={self._folder / archive.name}"]
        return [f"-XX:SharedArchiveFile={base}", *new] if base else new

    def keep(self) -> None:
        """Put the archive of a run that ended in order where the next starts look for it."""
        for archive in self._folder.glob("kafka-*.jsa"):
            _move_whole(archive, cache_folder() / archive.name)


def _base(java: Java) -> Path | None:
    """Return the archive of Java's own classes, made now if this Java came without; None if it has one built in."""
    if java.has_class_data:
        return None
    base = cache_folder() / f"java-{hashlib.sha256(f'{java.executable}{java.version}'.encode()).hexdigest()[:16]}.jsa"
    if not base.exists():
        draft = base.with_suffix(f".{os.getpid()}")
        command = [str(java.executable), "-Xshare:dump", f"-XX:SharedArchiveFile={draft}", "-Xlog:disable"]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, capture_output=True, timeout=DUMP_TIMEOUT_S, check=False)  # noqa: S603  # our own
        if not draft.exists():
            return None
        draft.replace(base)
    return base


def _move_whole(source: Path, target: Path) -> None:
    """Move between file systems such that nobody ever sees half of the file."""
    draft = target.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.write_bytes(source.read_bytes())
    draft.replace(target)
    source.unlink()
