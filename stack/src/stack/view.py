"""What people see while things start, and after: tables on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from rich.console import Console
from rich.live import Live
from rich.table import Table

from chassis.process.terminal import fitted
from stack import services
from stack.ports import LOOPBACK
from stack.state import PartState, State

_COLOURS = {
    "ready": "green",
    "existing": "green",
    "starting": "yellow",
    "downloading": "cyan",
    "restarting": "red",
    "refused": "red",
    "ended": "red",
}


def parts_table(state: State | None) -> Table:
    """Return one row a part: what it is doing and where it answers."""
    table = Table(box=None, pad_edge=False)
    for heading in ("part", "state", "pid", "where", ""):
        table.add_column(heading, no_wrap=heading != "")
    for part in state.parts if state else ():
        colour = _COLOURS.get(part.state, "default")
        again = f"started again {part.restarts}x " if part.restarts else ""
        pid = str(part.process.pid) if part.process else "-"
        table.add_row(part.name, f"[{colour}]{part.state}[/]", pid, part.where, again + part.detail)
    return table


@contextmanager
def following(console: Console, state: Callable[[], State | None]) -> Iterator[None]:
    """Show the parts in a live table while the block runs; without a terminal nothing is drawn."""
    if not console.is_terminal:
        yield
        return
    with Live(get_renderable=lambda: fitted(parts_table(state()), console), console=console, refresh_per_second=8):
        yield


class Lines:
    """Tells each change of a part as a line with the seconds since the first, for logs and pipes."""

    def __init__(self, console: Console, *, silent: bool = False) -> None:
        """Print here; silent while something else shows the parts."""
        self._console = console
        self.silent = silent
        self._began = time.monotonic()
        self._told: dict[str, str] = {}

    def __call__(self, part: PartState) -> None:
        """Print the part unless its state is the one told last."""
        if self._told.get(part.name) == part.state:
            return
        self._told[part.name] = part.state
        if self.silent:
            return
        detail = f": {part.detail}" if part.detail else ""
        line = f"{time.monotonic() - self._began:6.1f} s  {part.name:<20} {part.state:<12} {part.where}{detail}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    def all_of(self, state: State | None) -> None:
        """Print whatever changed since the last call."""
        for part in state.parts if state else ():
            self(part)


def moved(state: State) -> list[str]:
    """Return a line for each address that is not the usual one, whose port another program has."""
    usual = [("kafka", services.KAFKA_PORT), ("postgres", services.POSTGRES_PORT), ("sinks", services.CARRIER_PORT)]
    wanted = [(name, port, "") for name, port in usual]
    ways = {"http": "'s API", "mllp": ""}
    wanted += [(service.name, service.port, ways[service.protocol]) for service in services.ALL if service.port]
    wanted += [(service.name, service.operations_port, "'s health, metrics and docs") for service in services.ALL]
    lines = []
    for name, port, what in wanted:
        part = state.part(name)
        url = "" if part is None or part.state == "existing" else part.operations_url if "health" in what else part.url
        if url and (found := _port_of(url)) != port:
            lines.append(f"Port {port} is in use by another program: {name}{what} is at {LOOPBACK}:{found}.")
    return lines


def _port_of(url: str) -> int | None:
    return urlsplit(url if "//" in url else f"//{url}").port


def summary(state: State, *, foreground: bool) -> str:
    """Return what to know once everything is ready."""
    booking = state.part("booking")
    lines = [f"Ready in {state.seconds:.1f} s.", *moved(state)]
    if booking:
        lines.append(f"Bookings go in at {booking.url}; `attend key` prints the client's key.")
        lines.append(f"{booking.operations_url}/docs describes how, and the other services' pages likewise.")
    if state.sinks and (sinks := state.part("sinks")):
        lines.append(
            f"Messages are sent for real (mode live), but only to the local sinks: nothing leaves this machine. "
            f"See {sinks.url}/accepted"
        )
    else:
        lines.append("No carriers are set and the notifier is in allow-list mode, unless NOTIFIER_* settings say else.")
    lines.append("Ctrl-C stops everything." if foreground else "`attend status` looks at it, `attend down` stops it.")
    return "\n".join(lines)
