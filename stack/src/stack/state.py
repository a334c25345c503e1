"""The state file: what the supervisor runs, for other commands to read and for the next start to clean up after.

Each process is recorded with its id and its start time, so that an id used again by the system is never taken for ours.
"""

import json
import os
import threading
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from stack.process import ProcessId

Phase = Literal["starting", "ready", "stopping", "failed"]


@dataclass(frozen=True)
class PartState:
    """One part, as last seen by the supervisor.

    Attributes:
        name: `kafka`, `postgres`, `sinks` or a service's name.
        state: waiting, starting, ready, restarting, refused, ended or existing (not ours).
        url: Its address for people and programs; empty where it has no API.
        process: None when it is not running, or not ours.
    """

    name: str
    state: str
    url: str = ""
    operations_url: str = ""
    detail: str = ""
    restarts: int = 0
    process: ProcessId | None = None

    @property
    def where(self) -> str:
        """Where people find it."""
        return self.url or self.operations_url


@dataclass(frozen=True)
class State:
    """The whole file.

    Attributes:
        clock_file: The stepped domain time that all services read; empty for real time.
    """

    supervisor: ProcessId
    phase: Phase
    seconds: float = 0.0
    sinks: bool = False
    topic_prefix: str = ""
    clock_file: str = ""
    error: str = ""
    parts: tuple[PartState, ...] = ()

    def part(self, name: str) -> PartState | None:
        """Return the part of that name."""
        return next((part for part in self.parts if part.name == name), None)

    @property
    def lives(self) -> bool:
        """Whether the supervisor that wrote it still runs."""
        return self.supervisor.find() is not None


class StateFile:
    """Writes the state whole or not at all, from any thread."""

    def __init__(self, path: Path, state: State) -> None:
        """Begin with this state; it is written at once."""
        self._path = path
        self._lock = threading.Lock()
        self.state = state
        self._write()

    def change(self, **changes: Any) -> None:
        """Change fields of the state."""
        with self._lock:
            self.state = replace(self.state, **changes)
            self._write()

    def put(self, part: PartState) -> None:
        """Replace the part of that name, or add it at the end."""
        with self._lock:
            names = [known.name for known in self.state.parts]
            if part.name in names:
                parts = tuple(part if known.name == part.name else known for known in self.state.parts)
            else:
                parts = (*self.state.parts, part)
            self.state = replace(self.state, parts=parts)
            self._write()

    def _write(self) -> None:
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        draft.write_text(json.dumps(asdict(self.state), indent=1), "utf-8")
        draft.replace(self._path)


def read_state(path: Path) -> State | None:
    """Return what the file says, None if there is none or it is not whole."""
    try:
        held = json.loads(path.read_text("utf-8"))
        parts = tuple(_part(part) for part in held.pop("parts"))
        return State(**{**held, "supervisor": ProcessId(**held["supervisor"]), "parts": parts})
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _part(held: dict[str, Any]) -> PartState:
    process = held.pop("process")
    return PartState(**held, process=ProcessId(**process) if process else None)
