"""`attend why`: what was decided about a visit, by whom, and why; in the terminal (B1)."""

import json
import re
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import typer
from rich.console import Console

from chassis.process.errors import AttendError
from stack.commands import why_view as view
from stack.commands.service_api import Booking, ServiceApi

EXIT_IN_PART = 3
"""The timeline is printed, and some part did not answer."""

_PREFIX = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{1,4})*", re.IGNORECASE)

Appointment = Annotated[
    str,
    typer.Argument(
        metavar="APPOINTMENT",
        help="Its id, the beginning of it (8 characters at least), or SOURCE:ID as upstream says.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the timeline as JSON.")]


def why(appointment: Appointment, as_json: AsJson = False) -> None:
    """Say everything that was decided about a visit and why: what the patient got, or why he got nothing.

    Exit codes: 0 told whole, 1 unknown or not answered, 2 wrong words, 3 told, but some part did not answer.
    """
    found = find(appointment)
    told = ServiceApi.at("notifier").ask("GET", f"/v1/appointments/{found}/timeline")
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        _print(told)
    raise typer.Exit(EXIT_IN_PART if told["missing"] else 0)


def find(appointment: str) -> UUID:
    """Return the id of the appointment that somebody names.

    Raises:
        AttendError: UNKNOWN_APPOINTMENT, SEVERAL_APPOINTMENTS, NO_ANSWER.
        typer.BadParameter: Neither an id, nor the beginning of one, nor SOURCE:ID.
    """
    text = appointment.strip()
    try:
        return UUID(text)
    except ValueError:
        pass
    source, colon, source_id = text.partition(":")
    if colon and source and source_id:
        told = Booking.here().ask("GET", "/v1/appointments", source=source, id=source_id)
        return UUID(told["appointment_id"])
    if not _PREFIX.fullmatch(text):
        raise typer.BadParameter("neither an id, nor 8 characters of its beginning, nor SOURCE:ID")
    return _beginning(text)


def _beginning(text: str) -> UUID:
    told: dict[str, Any] = Booking.here().ask("GET", "/v1/appointments", prefix=quote(text, safe="-"))
    found = [item["appointment_id"] for item in told["items"]]
    if not found:
        raise AttendError("UNKNOWN_APPOINTMENT", f"no appointment's id begins with {text}")
    if len(found) > 1:
        raise AttendError("SEVERAL_APPOINTMENTS", f"{text} is the beginning of several: {', '.join(found)} …")
    return UUID(found[0])


def _print(told: dict[str, Any]) -> None:
    console = Console()
    for part in view.timeline(told, console.width):
        console.print(part)
