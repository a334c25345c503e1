"""Where things lie: the installation's one folder, and the cache that outlives it."""

import os
import stat
from pathlib import Path

NOBODY = 65534  # the unprivileged user and group that PostgreSQL runs as when we are root


def home_folder() -> Path:
    """Return the installation's folder: ATTEND_HOME, else `.attend` below the working folder."""
    return Path(os.environ.get("ATTEND_HOME") or ".attend").absolute()


def cache_folder() -> Path:
    """Return the folder of what can be made again (class-data archives, binaries), making it."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base).expanduser() / "attend"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def private_folder(folder: Path) -> Path:
    """Make the folder, readable by its owner alone, and return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def everyone_may_enter(folder: Path) -> bool:
    """Say whether any user can walk down to the folder: each of it and its parents has the x bit for others."""
    existing = [place for place in (folder, *folder.parents) if place.exists()]
    return all(place.stat().st_mode & stat.S_IXOTH for place in existing)


def write_secret(path: Path, text: str) -> None:
    """Write the file so that it is never readable by another user, and whole or not at all."""
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(text)
    draft.replace(path)
