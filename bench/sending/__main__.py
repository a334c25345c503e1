"""`python -m bench.sending`: how fast messages are made and sent on this machine."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

import typer
import uvloop

from bench.delivery.servers import Servers, servers
from bench.harness import Report
from bench.sending.fanout import measure_fanout
from bench.sending.inbox import measure_inbox
from bench.sending.lanes import measure_http, measure_smtp
from bench.sending.rated import measure_rated
from chassis.process import logs
from chassis.process.lifecycle import calm_collector

NAME = "sending"


class Part(StrEnum):
    """What can be measured alone."""

    FANOUT = "fanout"
    HTTP = "http"
    SMTP = "smtp"
    INBOX = "inbox"
    RATED = "rated"


def main(
    rounds: Annotated[int, typer.Option(min=1, max=9, help="Interleaved repeats; medians count.")] = 3,
    small: Annotated[bool, typer.Option(help="A tenth of the load: to see that it works.")] = False,
    only: Annotated[list[Part] | None, typer.Option(help="Parts to measure; all but `rated` if none is named.")] = None,
) -> None:
    """Start real Kafka and PostgreSQL, measure, print a table and write bench/results/sending.json."""
    logs.configure("bench", "error", "console")
    calm_collector()  # as in every service's process; the limits are measured under it too
    report, share = Report(NAME), 10 if small else 1
    with servers() as started:
        parts: dict[Part, Callable[[Servers], Awaitable[None]]] = {
            Part.FANOUT: lambda given: measure_fanout(given, report, 100_000 // share, rounds),
            Part.HTTP: lambda given: measure_http(given, report, 20_000 // share, rounds),
            Part.SMTP: lambda given: measure_smtp(given, report, 8_000 // share, rounds),
            Part.INBOX: lambda given: measure_inbox(given, report, 5 if small else 20),
            Part.RATED: lambda given: measure_rated(given, report, 20_000 // share),
        }
        for part in only or [part for part in Part if part is not Part.RATED]:
            uvloop.run(parts[part](started))  # type: ignore[arg-type]  # each is a coroutine function
    print(f"written: {report.write()}")


app = typer.Typer(add_completion=False)
app.command()(main)

if __name__ == "__main__":
    app()
