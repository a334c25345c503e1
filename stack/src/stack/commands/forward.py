"""Commands that belong to a service: handed to `python -m <service>` with the installation's settings."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from chassis.process.errors import AttendError
from chassis.process.lifecycle import PROGRAM
from stack import services
from stack.connections import Connections, variable_of
from stack.layout import python

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
OURS = {PROGRAM: "attend"}


def forward(package: str, arguments: list[str]) -> None:
    """Run a command of the service, with the installation's settings, and end as it ended."""
    _known(package)
    environment = Connections.here().environment(package) | OURS
    done = subprocess.run(python("-m", package, *arguments), env=environment, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


def alone(package: str, arguments: list[str], environment: Mapping[str, str] = {}) -> None:
    """Run a command of the service that needs nothing that runs, and end as it ended.

    Args:
        environment: What it is told beside our own.
    """
    _known(package)
    env = os.environ | environment | OURS
    done = subprocess.run(python("-m", package, *arguments), env=env, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


def _known(package: str) -> None:
    if package not in services.PACKAGES:
        raise AttendError("NO_SERVICE", f"no service {package!r}: one of {', '.join(services.PACKAGES)}")


def clients(context: typer.Context) -> None:
    """Create, list, rotate and revoke the API clients of booking (`attend clients --help` for the words)."""
    forward("booking", ["clients", *context.args])


def dead_letters(context: typer.Context) -> None:
    """List, show, replay, discard or skip what a service could not take: `attend dead-letters list records`."""
    from stack.commands import of_service

    of_service.dead_letters(forward)(context.args, prog_name="attend dead-letters")


def retention(context: typer.Context) -> None:
    """Remove what a service keeps only for so long, or count it: `attend retention booking --dry-run`."""
    from stack.commands import of_service

    of_service.retention(forward)(context.args, prog_name="attend retention")


def no_show(context: typer.Context) -> None:
    """Say how many visits would be no-shows if a slot were due now: `attend no-show --dry-run`."""
    forward("booking", ["no-show", *context.args])


def import_(context: typer.Context) -> None:
    """Send a whole file of a source through the door: `attend import FILE --source S --mode backfill --dry-run`."""
    from stack.commands.service_api import CLIENT_KEY_VARIABLE, Booking

    booking = Booking.as_client() if "--help" not in context.args else None
    told = {variable_of("booking"): booking.url, CLIENT_KEY_VARIABLE: booking.key} if booking else {}
    alone("booking", ["import", *context.args], told)


def settings(context: typer.Context) -> None:
    """List every setting of a service, with unit, default and meaning: `attend settings booking`."""
    from stack.commands import of_service

    of_service.settings(alone)(context.args, prog_name="attend settings")


def metrics(context: typer.Context) -> None:
    """List every metric of a service, with labels, unit and meaning: `attend metrics booking`."""
    from stack.commands import of_service

    of_service.metrics(alone)(context.args, prog_name="attend metrics")


def templates(context: typer.Context) -> None:
    """Check the messages to patients, or look at them: `attend templates lint`, `attend templates preview --all`."""
    alone("notifier", ["templates", *context.args])


def demo(
    samples: Annotated[
        Path | None, typer.Option(help="Folder of FHIR messages instead of the project's own examples.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running at the end.")] = False,
    fast: Annotated[bool, typer.Option("--fast", help="The clinic week alone, without the FHIR messages.")] = False,
) -> None:
    """Play a clinic week on the real parts and compare what happened with what had to happen.

    FHIR messages go through the door first. Then of three clinics one speaks JSON events, one HL7 v2 over MLLP,
    and one brings its past as a CSV file before it speaks events.
    """
    from stack.demo.run import demo as play

    raise typer.Exit(play(samples, keep, fast))
