"""`attend work-list visits` and `done`: what staff should look at of visits (R33, R34)."""

import json
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from chassis.process.terminal import console, show_all
from stack.commands.plain import plain
from stack.commands.sending_modes import login_name
from stack.commands.service_api import Booking

Clinic = Annotated[str | None, typer.Option("--clinic", "-c", help="Of this clinic alone.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


def visits(
    clinic: Clinic = None,
    code: Annotated[str | None, typer.Option(help="Of this kind alone, such as NOT_CLEARED.")] = None,
    state: Annotated[str, typer.Option(help="open, done or all.")] = "open",
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what came otherwise than it ought to of visits and was taken all the same, newest first.

    Exit codes: 0 shown, 1 not answered, 2 wrong words.
    """
    told = Booking.here().ask("GET", "/v1/visit-flags", clinic=clinic, code=code, state=state, limit=limit)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    more = [f"More than these {limit}: ask for one clinic or kind, or raise --limit."] if told["next_after"] else []
    show_all(console(), [*flags(told["items"], clinic, code, state), *more])


def done(
    flag: Annotated[int, typer.Argument(metavar="FLAG", help="Its number in the list.")],
    note: Annotated[str | None, typer.Option(help="What came of it.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who did it; left out: your login name.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say that somebody looked into a flag of `attend work-list visits`: it is off the list."""
    told = Booking.here().ask("POST", f"/v1/visit-flags/{flag}/done", {"by": by or login_name(), "note": note})
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    before = " before" if told["repeat"] else ""
    typer.echo(f"Done{before}, by {told['done_by']} at {told['done_at'][:16]}: {told['code']}.")


def flags(items: list[dict[str, Any]], clinic: str | None, code: str | None, state: str) -> list[RenderableType]:
    """Return the flags as parts to print; an empty list says of what."""
    if not items:
        asked = (f" at {clinic}" if clinic else "") + (f" of the kind {code}" if code else "")
        return [Text(f"No flag of a visit{asked} {'waits' if state == 'open' else f'is {state}'}.")]
    table = Table(box=None, pad_edge=False)
    for name in ("flag", "visit", "starts", "clinic", "status", "what", "done"):
        table.add_column(name, no_wrap=name in {"flag", "visit", "starts"})
    for item in items:
        zone = ZoneInfo(item["zone"] or "UTC")
        starts = item["starts_at"] and f"{datetime.fromisoformat(item['starts_at']).astimezone(zone):%Y-%m-%d %H:%M}"
        by = f"by {item['done_by']}" + (f": {item['note']}" if item["note"] else "") if item["done_at"] else ""
        what = plain(f"{item['code']}: {item['meaning']}")
        table.add_row(
            str(item["flag_id"]), item["appointment_id"], starts or "", item["clinic_id"] or "", item["status"], what,
            plain(by),
        )  # fmt: skip
    return [table]
