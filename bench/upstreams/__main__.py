"""`python -m bench.upstreams`: how fast what upstream systems send is taken, by MLLP and by file."""

from enum import StrEnum
from typing import Annotated

import typer
import uvloop

from bench.delivery.servers import servers
from bench.harness import Report
from bench.upstreams.bulk import measure_bulk
from bench.upstreams.mllp import measure_mllp
from chassis.process import logs
from chassis.process.lifecycle import calm_collector

NAME = "upstreams"


class Part(StrEnum):
    """What can be measured alone."""

    MLLP = "mllp"
    BULK = "bulk"


def main(
    messages: Annotated[int, typer.Option(min=1_000, help="Messages of HL7 v2 of a round.")] = 20_000,
    rows: Annotated[int, typer.Option(min=1_000, help="Visits of the file of history.")] = 200_000,
    connections: Annotated[int, typer.Option(min=1, help="Of the import: requests under way at once.")] = 2,
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Interleaved repeats of MLLP; medians count.")] = 3,
    only: Annotated[list[Part] | None, typer.Option(help="Parts to measure; all if none is named.")] = None,
) -> None:
    """Start real Kafka and PostgreSQL, measure, print a table and write bench/results/upstreams.json."""
    logs.configure("bench", "error", "console")
    calm_collector()
    report, parts = Report(NAME), only or list(Part)
    with servers() as started:
        if Part.MLLP in parts:
            uvloop.run(measure_mllp(started, report, messages, rounds))
        if Part.BULK in parts:
            uvloop.run(measure_bulk(started, report, rows, connections))
    print(f"written: {report.write()}")


app = typer.Typer(add_completion=False)
app.command()(main)

if __name__ == "__main__":
    app()
