"""`attend policy`: show, try and set the reminder policies of clinics and service types (D13, B4)."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis.process.errors import AttendError
from chassis.process.terminal import console, show_all
from stack.commands import policy_view as view
from stack.commands.service_api import Booking, clinic_path

app = typer.Typer(no_args_is_help=True, help="Reminder policies: how long before a visit patients are reminded.")

LOOK_S = 0.3
"""Between two looks at a reissue under way."""

Clinic = Annotated[str, typer.Argument(metavar="CLINIC", help="The clinic's code, such as EYE.")]
File = Annotated[
    Path,
    typer.Option(
        "--file", "-f", exists=True, dir_okay=False, readable=True,
        help='JSON: {"rules": [{"lead_days": 7}, {"lead_hours": 24}]}; see examples/policies/.',
    ),
]  # fmt: skip
Service = Annotated[str | None, typer.Option("--service-type", "-s", help="Left out: the clinic's policy.")]
Given = Annotated[str, typer.Option("--service-type", "-s", help="Whose own policy is given up.")]
PlanOnly = Annotated[bool, typer.Option("--plan", help="Only say what it would do.")]
Months = Annotated[int, typer.Option("--past-months", min=0, max=24, help="Months of past visits to replay.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Wait = Annotated[bool, typer.Option("--wait/--no-wait", help="Follow the reissue of the visits ahead to its end.")]


@app.command()
def show(
    clinic: Clinic,
    service_type: Service = None,
    changes: Annotated[int, typer.Option(min=0, max=100, help="So many changes of the past, newest first.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show the rules in force and who changed what when."""
    booking, path = Booking.here(), clinic_path(clinic)
    told = booking.ask("GET", path, service_type=service_type)
    told["changes"] = booking.ask("GET", f"{path}/changes", limit=changes)["items"] if changes else []
    _print(told, view.policy(told), as_json=as_json)


@app.command()
def plan(
    clinic: Clinic, file: File, service_type: Service = None, past_months: Months = 3, as_json: AsJson = False
) -> None:
    """Say what a policy would do, and do nothing: reminders added, removed and moved, and past months replayed.

    Exit codes: 0 planned, 1 refused or not answered, 2 wrong words or file.
    """
    body, booking = {**policy_of(file), "past_months": past_months}, Booking.here()
    found: dict[str, Any] | None = None
    with _progress(shown=not as_json) as progress:
        task = progress.add_task("visits", total=None)
        for line in booking.stream(f"{clinic_path(clinic)}/plan", body, service_type=service_type):
            found = line.get("plan", found)
            if "progress" in line:
                progress.update(task, completed=line["progress"]["looked_at"], total=line["progress"]["of"])
    if found is None:
        raise AttendError("CUT_OFF", "the answer ended before the plan: see `attend logs booking`")
    _print(found, view.plan(found), as_json=as_json)


@app.command("set")
def set_(clinic: Clinic, file: File, service_type: Service = None, wait: Wait = True, as_json: AsJson = False) -> None:
    """Put a policy in force for what is booked from now on, and reissue the visits ahead that it touches.

    The same again changes nothing. Exit codes: 0 in force, 1 refused or not answered, 2 wrong words or file.
    """
    booking, path = Booking.here(), clinic_path(clinic)
    told = booking.ask("PUT", path, policy_of(file), service_type=service_type)
    if told["changed"] and wait:
        told["change"] = _followed(booking, f"{path}/changes/{told['change']['version']}", shown=not as_json)
    _print(told, view.set_(told), as_json=as_json)


@app.command()
def unset(
    clinic: Clinic, service_type: Given, plan_only: PlanOnly = False, wait: Wait = True, as_json: AsJson = False
) -> None:
    """Give a service type the clinic's policy again, and reissue its visits ahead.

    The same again changes nothing. Exit codes: 0 given up, 1 refused or not answered, 2 wrong words.
    """
    booking, path = Booking.here(), clinic_path(clinic)
    if plan_only:
        tried = booking.ask("POST", f"{path}/plan", {"unset": True, "past_months": 0}, service_type=service_type)
        _print(tried, view.plan(tried), as_json=as_json)
        return
    told = booking.ask("DELETE", path, service_type=service_type)
    if told["changed"] and wait:
        told["change"] = _followed(booking, f"{path}/changes/{told['change']['version']}", shown=not as_json)
    _print(told, view.set_(told), as_json=as_json)


def policy_of(file: Path) -> dict[str, Any]:
    """Return the policy in a file; its rules are judged by booking."""
    try:
        found = json.loads(file.read_text("utf-8"))
    except (ValueError, OSError) as error:
        place = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise typer.BadParameter(f"{file} is not JSON{place}", param_hint="--file") from None
    if not isinstance(found, dict):
        raise typer.BadParameter(f'{file} holds no object such as {{"rules": []}}', param_hint="--file")
    return found


def _followed(booking: Booking, path: str, *, shown: bool) -> Any:
    with _progress(shown=shown) as progress:
        task = progress.add_task("visits ahead", total=None)
        while True:
            change = booking.ask("GET", path)
            job = change["reissue"]
            progress.update(task, completed=job["looked_at"], total=job["ahead"])
            if job["state"] in {"done", "superseded"}:
                return change
            time.sleep(LOOK_S)


def _progress(*, shown: bool) -> Progress:
    """Return a progress bar on stderr, so that stdout stays the answer alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown)


def _print(told: Any, tables: list[Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    show_all(console(), tables)
