"""The only place that reads the clock (design §7).

Domain time decides about visits, deadlines and windows; it can be stepped, in tests and in the demo,
by a small file that all processes read. Machine time (leases, rates, ages) is monotonic or the
database's, and never comes from here.
"""

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, Protocol


class Clock(Protocol):
    """Where a process takes domain time from."""

    @property
    def epoch(self) -> int:
        """How many times domain time has been stepped."""

    def now(self) -> datetime:
        """Return domain time, aware, in UTC."""

    def unstepped(self) -> datetime:
        """Return the machine's own time, aware, in UTC, to compare clocks by."""


class RealClock:
    """Domain time is the machine's time."""

    epoch = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def unstepped(self) -> datetime:
        return datetime.now(UTC)


class StillClock:
    """Domain time stands still; for tests."""

    def __init__(self, now: datetime) -> None:
        if now.tzinfo is None:
            raise ValueError("a still clock needs an aware instant")
        self._now = now.astimezone(UTC)
        self.epoch = 0

    def now(self) -> datetime:
        return self._now

    def unstepped(self) -> datetime:
        return self._now

    def move(self, to: datetime) -> None:
        """Stand at another instant from now on."""
        self._now = to.astimezone(UTC)
        self.epoch += 1


class _Step(NamedTuple):
    epoch: int
    offset: timedelta


_UNSTEPPED = _Step(0, timedelta())


class SteppedClock:
    """Domain time is the machine's time plus an offset kept in a file that all processes share.

    A file that is missing means no offset. The file is read again only when it was replaced.

    Args:
        path: JSON `{"epoch": 3, "offset_s": 86400.0}`, written by `step`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._step = _UNSTEPPED

    @property
    def epoch(self) -> int:
        return self._read().epoch

    def now(self) -> datetime:
        return datetime.now(UTC) + self._read().offset

    def unstepped(self) -> datetime:
        return datetime.now(UTC)

    def _read(self) -> _Step:
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return _UNSTEPPED
        identity = (found.st_ino, found.st_mtime_ns)
        if identity != self._seen:
            self._step = _load(self._path)
            self._seen = identity
        return self._step


def clock_from(path: Path | None) -> Clock:
    """Return the clock that the setting `clock_file` asks for: stepped by that file, else the real one."""
    return RealClock() if path is None else SteppedClock(path)


def step(path: Path, to: datetime) -> int:
    """Move domain time of every process that reads `path` to the instant `to`; return the new epoch.

    The file is replaced at once, so a reader sees the old step or the new one. One driver only.
    """
    if to.tzinfo is None:
        raise ValueError("domain time can only be stepped to an aware instant")
    epoch = (_load(path).epoch if path.exists() else 0) + 1
    offset_s = (to - datetime.now(UTC)).total_seconds()
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    with os.fdopen(handle, "w") as file:
        json.dump({"epoch": epoch, "offset_s": offset_s}, file)
    os.chmod(temporary, 0o644)  # read by processes of other users, in containers
    os.replace(temporary, path)
    return epoch


def _load(path: Path) -> _Step:
    body = json.loads(path.read_text())
    return _Step(int(body["epoch"]), timedelta(seconds=float(body["offset_s"])))
