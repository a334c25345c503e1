"""What a change touches: the files and rooms between a commit and the work tree."""

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bench.house.files import room_of

_PRODUCT = re.compile(r"(?:^|/)src/(?P<package>[^/]+)/(?P<place>.+)")
_NO_ROOM = frozenset({"__init__", "py.typed"})
"""What makes a folder a package stands in no room of it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Where a change had to go.

    Attributes:
        files: Every file added, changed, removed or moved; a moved one once.
        product: Those of them below a member's `src`: code, templates, migrations.
        rooms: The rooms of those, as `package/room`.
    """

    files: tuple[str, ...]
    product: tuple[str, ...]
    rooms: tuple[str, ...]


def touched(root: Path, base: str) -> Touched:
    """Compare the work tree with a commit; files that git does not know yet count, ignored ones do not.

    Raises:
        subprocess.CalledProcessError: `root` is in no git work tree, or there is no such commit.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel")[0])
    changed = _git(top, "diff", "--name-only", "--find-renames", "--end-of-options", base, "--")
    return sort_out([*changed, *_git(top, "ls-files", "--others", "--exclude-standard")])


def sort_out(paths: Iterable[str]) -> Touched:
    """Say which of the paths are product files, and in which rooms they lie."""
    files = tuple(sorted(set(paths)))
    product = {path: found for path in files if (found := _PRODUCT.search(path))}
    rooms = {(found["package"], room_of(PurePosixPath(found["place"]))) for found in product.values()}
    named = sorted(f"{package}/{room}" for package, room in rooms if room not in _NO_ROOM)
    return Touched(files, product=tuple(product), rooms=tuple(named))


def _git(root: Path, *words: str) -> list[str]:
    command = ["git", "-C", str(root), "-c", "core.quotePath=off", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603
