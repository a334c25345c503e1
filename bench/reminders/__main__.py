"""`python -m bench.reminders`: how fast the timers are on this machine."""

import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench.harness import Report
from bench.reminders.compare import measure_intake, measure_life, measure_recovery
from bench.reminders.load import Table
from bench.reminders.place import Broker, broker
from chassis.process import logs
from chassis.process.lifecycle import calm_collector

NAME = "reminders"


class Part(StrEnum):
    """What can be measured alone."""

    INTAKE = "intake"
    DUE = "due"
    RECOVERY = "recovery"
    LARGE = "large"


def main(
    events: Annotated[int, typer.Option(min=1000, max=2_000_000, help="Events waiting for the intake.")] = 200_000,
    rows: Annotated[int, typer.Option(min=1000, max=2_000_000, help="Rows of the table, two timers each.")] = 500_000,
    burst: Annotated[int, typer.Option(min=100, max=500_000, help="Timers due at one instant.")] = 50_000,
    changes: Annotated[int, typer.Option(min=100, max=500_000, help="Moves and cancellations waiting.")] = 100_000,
    large: Annotated[int, typer.Option(min=1000, max=5_000_000, help="Rows of the large table.")] = 2_500_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Interleaved repeats; medians count.")] = 3,
    only: Annotated[list[Part] | None, typer.Option(help="Parts to measure; all if none is named.")] = None,
) -> None:
    """Start a real Kafka, measure, print a table and write bench/results/reminders.json."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that broker and workers are ended on the way out
    logs.configure("bench", "error", "console")
    calm_collector()  # as in every service's process; the limits are measured under it too
    report, console = Report(NAME), Console()

    with _kept(report), broker() as started, console.status("starting") as status:

        def say(what: str) -> None:
            status.update(what)
            if not console.is_terminal:
                console.print(f"… {what}")

        parts: dict[Part, Callable[[Broker], Awaitable[None]]] = {
            Part.INTAKE: lambda on: measure_intake(on, report, events, rounds, say),
            Part.DUE: lambda on: measure_life(on, report, Table(rows, burst, changes), rounds, say),
            Part.RECOVERY: lambda on: measure_recovery(on, report, rows, rounds, say),
            Part.LARGE: lambda on: measure_recovery(on, report, large, 1, say),
        }
        for part in only or list(Part):
            uvloop.run(parts[part](started))  # type: ignore[arg-type]  # each is a coroutine function


@contextmanager
def _kept(report: Report) -> Iterator[None]:
    """Write the report after the block, also of a run that was ended early, if there is anything in it."""
    try:
        yield
    finally:
        if report.figures:
            print(f"written: {report.write()}")


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(main)

if __name__ == "__main__":
    app()
