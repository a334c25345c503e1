"""`attend check-in`: may the patient be let in? (R34, 0054)."""

import json
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import RenderableType

from chassis.process.terminal import console, show_all
from stack.commands.plain import plain
from stack.commands.sending_modes import login_name
from stack.commands.service_api import Booking
from stack.commands.why_named import visit_named


def check_in(
    visit: Annotated[
        str, typer.Argument(help="Its id, the beginning of it (8 characters at least), or SOURCE:ID as upstream says.")
    ],
    override: Annotated[
        bool, typer.Option("--override", help="Let him in whatever lacks: a right of the client; needs --reason.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="Why; kept with the check-in.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who does it; left out: your login name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what lacks, and what would happen.")] = False,
    key: Annotated[
        str | None, typer.Option("--key", help="Of a check-in whose answer was lost: it happens once all the same.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of words.")] = False,
) -> None:
    """Check a patient in, if his visit has what the clinic requires; with the key of a client.

    Exit codes: 0 he is in, or would be, 1 refused or not answered, 2 wrong words.
    """
    if override and not reason:
        raise typer.BadParameter("--override needs --reason: it is kept with who let him in")
    booking = Booking.as_client()
    body: dict[str, Any] = {"by": by or login_name(), "reason": reason, "override": override, "dry_run": dry_run}
    if not dry_run:
        body["event_id"] = key or f"desk-{uuid4()}"
        typer.echo(
            f"Check-in {body['event_id']}: if this is cut off, ask again with --key {body['event_id']}.", err=True
        )
    told = booking.ask("POST", f"/v1/appointments/{visit_named(visit, booking)}/check-in", body)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    else:
        show_all(console(), answer(told))


def answer(told: dict[str, Any]) -> list[RenderableType]:
    """Return what became of a check-in, or would, in words: the visit, what was checked, and each lack."""
    said = "would be checked in" if told["dry_run"] else "is checked in"
    if told["result"] == "repeat":
        said = "is checked in already"
    if told["overridden"]:
        said += " all the same: what lacks is overridden"
    lines = [f"{told['appointment_id']} {said}."]
    lacking = {(one["kind"], one["form"]) for one in told["lacking"]}
    met = [one for one in told["checked"] if (one["kind"], one["form"]) not in lacking]
    lines += [f"  {_name(one)}: {one['code']}" for one in met]
    lines += [f"  lacks {_name(one)} ({one['code']}), {_way(one)}" for one in told["lacking"]]
    if not told["checked"]:
        lines.append("  The clinic requires nothing for it.")
    return [plain(line) for line in lines]


def _name(one: dict[str, Any]) -> str:
    return f"{one['kind']} {one['form']}" if one["form"] else str(one["kind"])


def _way(lack: dict[str, Any]) -> str:
    """Return for whom a lack is, and how to get what lacks."""
    return "; ".join(part.rstrip(".") for part in (f"of {lack['whom']}", lack["how"], lack["link"]) if part)
