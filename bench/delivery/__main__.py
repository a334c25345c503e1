"""`python -m bench.delivery`: how fast bookings become durable effects on this machine."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

import typer
import uvloop

from bench.delivery.compare import measure_records
from bench.delivery.ingest import measure_ingest
from bench.delivery.latency import measure_latency
from bench.delivery.servers import Servers, servers
from bench.harness import Report
from chassis.process import logs
from chassis.process.lifecycle import calm_collector

NAME = "delivery"


class Part(StrEnum):
    """What can be measured alone."""

    RECORDS = "records"
    INGEST = "ingest"
    LATENCY = "latency"


def main(
    events: Annotated[int, typer.Option(min=1000, max=2_000_000, help="Events waiting for records.")] = 200_000,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Interleaved repeats; medians count.")] = 3,
    inbound: Annotated[int, typer.Option(min=1000, max=500_000, help="Events waiting for booking.")] = 50_000,
    seconds: Annotated[int, typer.Option(min=5, max=600, help="How long to post at 200 a second.")] = 30,
    hold: Annotated[bool, typer.Option(help="Latency without the mails: sending mode hold.")] = False,
    only: Annotated[list[Part] | None, typer.Option(help="Parts to measure; all if none is named.")] = None,
) -> None:
    """Start real Kafka and PostgreSQL, measure, print a table and write bench/results/delivery.json."""
    logs.configure("bench", "error", "console")
    calm_collector()  # as in every service's process; the limits are measured under it too
    report = Report(NAME)
    with servers() as started:
        parts: dict[Part, Callable[[Servers], Awaitable[None]]] = {
            Part.RECORDS: lambda given: measure_records(given, report, events, rounds),
            Part.INGEST: lambda given: measure_ingest(given, report, inbound),
            Part.LATENCY: lambda given: measure_latency(given, report, seconds, "hold" if hold else "live"),
        }
        for part in only or list(Part):
            uvloop.run(parts[part](started))  # type: ignore[arg-type]  # each is a coroutine function
    print(f"written: {report.write()}")


app = typer.Typer(add_completion=False)
app.command()(main)

if __name__ == "__main__":
    app()
