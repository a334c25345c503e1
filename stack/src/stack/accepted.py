"""The sinks' acceptance log: what the local carriers took, as a file of JSON lines."""

from pathlib import Path
from typing import Any

import orjson

from chassis.process.clock import Clock


class AcceptanceLog:
    """One JSON object a line for each accepted message, oldest first."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Write to this file; what is in it stays."""
        self._path = path
        self._clock = clock
        path.parent.mkdir(parents=True, exist_ok=True)

    def accept(self, channel: str, to: str, reference: str | None, body: Any, **more: Any) -> None:
        """Append one acceptance; it is in the file when this returns."""
        line = {"channel": channel, "to": to, "reference": reference, **more, "body": body}
        line["accepted_at"] = self._clock.now().isoformat()
        with self._path.open("ab") as stream:
            stream.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def read(self, channel: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
        """Return the acceptances, oldest first."""
        return read_accepted(self._path, channel, to)


def read_accepted(path: Path, channel: str | None = None, to: str | None = None) -> list[dict[str, Any]]:
    """Return the acceptances in the log, oldest first, all or those of a channel or recipient; none without a file."""
    if not path.exists():
        return []
    lines = [orjson.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    return [line for line in lines if channel in (None, line["channel"]) and to in (None, line["to"])]
