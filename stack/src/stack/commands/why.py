"""`attend why`: what was decided about a visit, by whom, and why; of a patient, each visit of his (B1)."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any
from uuid import UUID

import typer

from chassis.process.errors import AttendError
from chassis.process.terminal import console, show_all
from stack.commands import why_view as view
from stack.commands.service_api import Booking, ServiceApi
from stack.commands.why_named import Meant, Whose, meant
from stack.connections import NothingRuns

EXIT_IN_PART = 3
"""The timeline is printed, and some part did not answer."""

AT_ONCE = 4

Named = Annotated[
    str,
    typer.Argument(
        metavar="VISIT",
        help="A visit: its id, the beginning of it (8 characters at least), or SOURCE:ID as upstream says. "
        "Or a patient: his id, SOURCE:ID, or the number of his main file.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the timeline, or the patient's visits, as JSON.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="So many of a patient's visits, newest first.")]


def why(named: Named, limit: Limit = 20, as_json: AsJson = False) -> None:
    """Say everything that was decided about a visit and why: what the patient got, or why he got nothing.

    Of a patient: his visits, newest first, each with what he got.

    Exit codes: 0 told whole, 1 unknown or not answered, 2 wrong words, 3 told, but some part did not answer.
    """
    found = meant(named)
    told = _timeline(found)
    if told is None:
        assert found.patient is not None  # noqa: S101  # what is no visit's is a patient's
        _patient(named.strip(), found.patient, limit, as_json=as_json)
        return
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        out = console()
        show_all(out, view.timeline(told, out.width))
    if found.patient is not None and found.patient.source is not None:
        typer.echo(f"{named.strip()} is a patient too: `attend why` with his own id lists his visits.", err=True)
    raise typer.Exit(EXIT_IN_PART if told["missing"] else 0)


def _timeline(found: Meant) -> dict[str, Any] | None:
    """Return the visit's timeline; None if what is meant is a patient."""
    if found.visit is None:
        return None
    try:
        return _of_visit(found.visit)
    except AttendError as error:
        if error.code != "UNKNOWN_APPOINTMENT" or found.patient is None:
            raise
        return None


def _of_visit(visit: UUID | str) -> dict[str, Any]:
    told: dict[str, Any] = ServiceApi.at("notifier").ask("GET", f"/v1/appointments/{visit}/timeline")
    return told


def _patient(word: str, whose: Whose, limit: int, *, as_json: bool) -> None:
    """Print a patient's visits, the newest first, each with what he got."""
    try:
        visits = list(whose.visits(Booking.here()))[::-1]
    except NothingRuns:
        raise AttendError("UNKNOWN_APPOINTMENT", f"no part knows a visit {word}; whether it is a patient is asked of "
                          "booking, which is not named here") from None  # fmt: skip
    except AttendError as error:
        if error.code != "UNKNOWN_PATIENT":
            raise
        raise AttendError("UNKNOWN_APPOINTMENT", f"{word} is neither a visit nor a patient") from None
    shown = visits[:limit]
    with ThreadPoolExecutor(AT_ONCE) as together:
        told = list(together.map(lambda visit: _of_visit(visit["appointment_id"]), shown))
    items = [
        {**visit, "answer": one["answer"], "missing": one["missing"]} for visit, one in zip(shown, told, strict=True)
    ]
    if as_json:
        typer.echo(json.dumps({"items": items, "of": len(visits)}, indent=2))
    else:
        show_all(console(), view.visits(word, items, len(visits)))
    raise typer.Exit(EXIT_IN_PART if any(one["missing"] for one in told) else 0)
