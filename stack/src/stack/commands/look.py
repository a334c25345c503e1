"""`attend status`, `attend logs` and `attend key`: look at what runs."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import JustifyMethod
from rich.table import Table

from chassis.process.errors import AttendError
from chassis.process.terminal import console, show_all
from stack import probe, services
from stack.connections import Connections, NothingRuns, elsewhere
from stack.folders import home_folder
from stack.home import Home
from stack.state import PartState

COLUMNS = (
    "state",
    "lag",
    "outbox_age_s",
    "dead_letters",
    "parked",
    "unknown",
    "restarts",
    "recovery",
    "url",
    "operations_url",
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
PartArgument = Annotated[str | None, typer.Argument(help="A service, `sinks`, `kafka`, `postgres` or `supervisor`.")]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")]
LinesOption = Annotated[int, typer.Option("--lines", "-n", min=0, help="How many lines of the past.")]


def status(as_json: JsonOption = False) -> None:
    """Show each part: state, lag, outbox age, dead letters, parked visits, sends of unknown outcome."""
    state, parts = Connections.here().state, elsewhere()
    if state is None and not parts:
        way = "ATTEND_HOME to the folder on which it runs, or ATTEND_<PART>_OPERATIONS_URL to where each part is asked"
        raise NothingRuns("nothing runs here", way)
    rows = gather(parts or (state.parts if state else ()))
    if as_json:
        phase = state.phase if state and not parts else "elsewhere"
        typer.echo(json.dumps({"phase": phase, "parts": rows}, indent=2))
        return
    out = console()
    show_all(out, [states(rows), "", addresses(rows), ""])
    for row in rows:
        if row.get("detail"):
            out.print(f"{row['part']}: {row['detail']}", markup=False)
        if row["recovery"]:
            out.print(f"{row['part']} recovers its table: {row['recovery']}", markup=False)
    for line in way_to_dead_letters(rows):
        out.print(line)


def states(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Return how each part is."""
    table = Table(box=None, pad_edge=False)
    table.add_column("part", no_wrap=True)
    for column in SHOWN:
        side: JustifyMethod = "left" if column in _TEXT else "right"
        table.add_column(_HEADINGS.get(column, column), justify=side)
    for row in rows:
        table.add_row(row["part"], *(_shown(row[column]) for column in SHOWN))
    return table


def addresses(rows: Iterable[Mapping[str, Any]]) -> Table:
    """Return where each part answers: its API, and where it is asked how it is and what its API is like."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "API", "health, metrics, /docs"):
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(row["part"], row["url"] or "-", row["operations_url"] or "-")
    return table


_TEXT = ("state",)
_OURS = ("url", "operations_url", "restarts")
"""Known here, whatever a part says."""
_LONG = ("recovery", "url", "operations_url")
SHOWN = tuple(column for column in COLUMNS if column not in _LONG)  # 80 characters; --json has all
_HEADINGS = {"outbox_age_s": "outbox s", "dead_letters": "dead", "restarts": "again"}


def gather(parts: Sequence[PartState]) -> list[dict[str, Any]]:
    """Ask every part at once how it does; what a part does not tell is None."""
    with ThreadPoolExecutor(len(parts) or 1) as together:
        return list(together.map(_row, parts))


def _row(part: PartState) -> dict[str, Any]:
    row: dict[str, Any] = {"part": part.name, **dict.fromkeys(COLUMNS), "state": part.state, "restarts": part.restarts}
    row |= {"url": part.url, "operations_url": part.operations_url}
    if part.name in {service.name for service in services.ALL} and part.state in ("ready", "starting", "restarting"):
        ready = part.state == "ready"
        code, told = probe.get(f"{part.operations_url}/status", timeout_s=10 if ready else 1)
        if code == 200 and (other := probe.another(part.operations_url, told, part.process)):
            row |= {"state": "another answers", "detail": other}
        elif code == 200 and isinstance(told, dict):
            row |= {column: told[column] for column in COLUMNS if column in told and column not in _OURS}
            row["detail"] = "" if row["state"] == "ready" else _why_not(part)
        elif ready:
            row["state"] = "silent"
    return row


def _why_not(part: PartState) -> str:
    _, told = probe.get(f"{part.operations_url}/health/ready", timeout_s=1)
    reasons = told.get("reasons") if isinstance(told, dict) else None
    return "; ".join(f"{what}: {why}" for what, why in reasons.items()) if isinstance(reasons, dict) else ""


def way_to_dead_letters(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each service that has dead letters: how many, and the command that lists them."""
    packages = {service.name: service.package for service in services.ALL}
    found: dict[str, int] = {}
    for row in rows:
        if (package := packages.get(row["part"])) and row["dead_letters"]:
            found[package] = max(found.get(package, 0), row["dead_letters"])  # its parts share a table
    return [
        f"{count} dead letter{'' if count == 1 else 's'} in {package}: attend dead-letters list {package}"
        for package, count in found.items()
    ]


def _shown(value: Any) -> str:
    if isinstance(value, dict):  # lag by topic
        return str(sum(value.values()))
    return "-" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def logs(part: PartArgument = None, follow: FollowOption = False, lines: LinesOption = 20) -> None:
    """Print the end of the logs, of one part or of all."""
    home = Home(home_folder())
    names = [part] if part else ["supervisor", *(service.name for service in services.ALL), "sinks"]
    files = {name: home.log_of(name) for name in names if home.log_of(name).exists()}
    if not files:
        raise AttendError("NO_LOGS", f"no log of {part or 'any part'} below {home.folder}: has `attend up` run here?")
    width = max(map(len, files))
    tails, shown = {name: _Tail(path, lines) for name, path in files.items()}, 0
    while True:
        for name, tail in tails.items():
            for line in tail.new():
                typer.echo(line if part else f"{name:<{width}} | {line}")
                shown += 1
        if not follow:
            if lines and not shown:
                typer.echo(f"Nothing is in the log of {part or 'any part'} yet.", err=True)
            return
        time.sleep(0.2)


class _Tail:
    """The last lines of a growing file, then those that come."""

    def __init__(self, path: Path, lines: int) -> None:
        self._path = path
        text = path.read_bytes()
        self._place = (
            len(text) - sum(len(line) for line in text.splitlines(keepends=True)[-lines:]) if lines else len(text)
        )

    def new(self) -> Iterator[str]:
        if self._path.stat().st_size < self._place:
            self._place = 0  # set aside and begun anew
        with self._path.open("rb") as stream:
            stream.seek(self._place)
            for line in stream:
                self._place += len(line)
                yield line.decode("utf-8", "replace").rstrip("\n")


def key(
    operator: Annotated[bool, typer.Option("--operator", help="The operator's, which reads at every service.")] = False,
) -> None:
    """Print the key of the client `local`: `curl -H "Authorization: Bearer $(attend key)" …`."""
    home = Home(home_folder())
    if not (home.folder / "secrets.json").exists():
        raise AttendError("NO_KEY", f"no key below {home.folder} yet: `attend up` makes it")
    typer.echo(home.secrets.operator_key if operator else home.secrets.key)
