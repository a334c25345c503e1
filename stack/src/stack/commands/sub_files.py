"""`attend sub-files`: which there are, and what a person does to one: close, reopen, another provider (D1, D6)."""

import json
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.table import Table

from chassis.process.terminal import console, show_all
from stack.commands.plain import plain
from stack.commands.sending_modes import login_name
from stack.commands.service_api import ServiceApi

app = typer.Typer(no_args_is_help=True, help="Patients' sub-files at the clinics: list, close, reopen, assign.")

SubFileId = Annotated[str, typer.Argument(metavar="SUB_FILE", help="Its id, as `attend sub-files list` shows it.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it, for the audit; left out: your login name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]

LISTED = ("sub_file_id", "number", "status", "provider_id", "version")


@app.command("list")
def list_(
    patient: Annotated[str | None, typer.Option(help="Of this patient, by id.")] = None,
    appointment: Annotated[str | None, typer.Option(help="Of this appointment, by id.")] = None,
    clinic: Annotated[str | None, typer.Option("--clinic", "-c", help="At this clinic.")] = None,
    status: Annotated[str | None, typer.Option(help="ACTIVE, PARKED or CLOSED.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List sub-files of a patient, an appointment, a clinic or a status.

    Exit codes: 0 shown, 1 not answered, 2 wrong words.
    """
    told = ServiceApi.at("records").ask(
        "GET", "/v1/subfiles", patient=patient, appointment=appointment, clinic=clinic, status=status, limit=limit
    )
    _print(
        told, LISTED, f"More than these {limit}: ask for less, or raise --limit." * bool(told["next_after"]), as_json
    )


@app.command()
def close(sub_file: SubFileId, reason: Reason, by: By = None, as_json: AsJson = False) -> None:
    """Close a sub-file. Exit codes: 0 it is closed, 1 refused or not answered, 2 wrong words."""
    _act("POST", sub_file, "close", {"reason": reason}, by, as_json)


@app.command()
def reopen(sub_file: SubFileId, reason: Reason, by: By = None, as_json: AsJson = False) -> None:
    """Open a closed sub-file again. Exit codes: 0 it is open, 1 refused or not answered, 2 wrong words."""
    _act("POST", sub_file, "reopen", {"reason": reason}, by, as_json)


@app.command()
def provider(
    sub_file: SubFileId,
    reason: Reason,
    to: Annotated[str | None, typer.Option("--to", help="The new provider, by id; left out: none.")] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Give a sub-file another provider, or none. Exit codes: 0 done, 1 refused or not answered, 2 wrong words."""
    _act("PUT", sub_file, "provider", {"reason": reason, "provider_id": to}, by, as_json)


@app.command()
def history(sub_file: SubFileId, as_json: AsJson = False) -> None:
    """Show who did what to a sub-file, when and why. Exit codes: 0 shown, 1 not answered, 2 wrong words."""
    told = ServiceApi.at("records").ask("GET", f"/v1/subfiles/{sub_file}/commands")
    _print(told, ("acted_at", "acted_by", "act", "before", "after", "reason"), "", as_json)


def _act(method: str, sub_file: str, act: str, body: dict[str, Any], by: str | None, as_json: bool) -> None:
    told = ServiceApi.at("records").ask(method, f"/v1/subfiles/{sub_file}/{act}", {**body, "by": by or login_name()})
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    so = "was so already" if told["repeat"] else f"version {told['version']}"
    name, assigned = told["number"] or told["sub_file_id"], told["provider_id"] or "-"
    typer.echo(f"{name}: {told['status']}, provider {assigned} ({so})")


def _print(told: dict[str, Any], names: tuple[str, ...], more: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    show_all(console(), [*parts(told, names), *([more] if more else [])])


def parts(told: dict[str, Any], names: tuple[str, ...]) -> list[RenderableType]:
    """Return the items as parts to print, the columns named."""
    table = Table(*names, box=None, pad_edge=False)
    for column in table.columns:
        column.no_wrap = column.header != "reason"
    for one in told["items"]:
        table.add_row(*(plain("-" if one[name] is None else one[name]) for name in names))
    none = "Nobody has done anything to it." if "act" in names else "No sub-file is as asked."
    return [table if told["items"] else none]
