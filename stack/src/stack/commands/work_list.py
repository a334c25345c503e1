"""`attend work-list`: messages that wait for a person, and what he does with them (B12)."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from chassis.process.errors import AttendError
from stack.commands.plain import plain
from stack.commands.sending_modes import login_name
from stack.commands.service_api import ServiceApi

app = typer.Typer(help="Messages that failed, may have arrived, or found no contact; and patients' answers.")

STYLES = {"failed": "red", "unknown": "magenta", "skipped": "yellow"}

Message = Annotated[str, typer.Argument(metavar="MESSAGE", help="Its id, or the beginning of one on the list.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it, for the log; left out: your login name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.callback(invoke_without_command=True)
def show(
    context: typer.Context,
    clinic: Annotated[str | None, typer.Option("--clinic", "-c", help="Of this clinic alone.")] = None,
    reason: Annotated[str | None, typer.Option(help="With this reason alone, such as REFUSED.")] = None,
    state: Annotated[str | None, typer.Option(help="failed, unknown or skipped (no contact).")] = None,
    ahead: Annotated[bool, typer.Option("--ahead", help="Only of visits that have not begun.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show what waits for a person, soonest visit first.

    Exit codes: 0 shown, 1 not answered, 2 wrong words.
    """
    if context.invoked_subcommand is not None:
        return
    told = ServiceApi.at("notifier").ask(
        "GET", "/v1/work-list", clinic=clinic, reason=reason, state=state, ahead="true" if ahead else None, limit=limit
    )
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    console = Console()
    if not told["items"]:
        console.print("No message waits for anybody.")
    else:
        console.print(messages(told["items"]))
    if told["replies"]:
        console.print(_replies(told["replies"]))
    if told["next_after"]:
        console.print(f"More than these {limit}: ask for one clinic or reason, or raise --limit.")


@app.command()
def resend(message: Message, by: By = None, as_json: AsJson = False) -> None:
    """Send it again: a new message, gated as ever. Refused with the reason if it would never leave."""
    _done(_act(message, "resend", by), as_json=as_json)


@app.command()
def drop(message: Message, by: By = None, as_json: AsJson = False) -> None:
    """Take it off the list. One of unknown outcome has failed then, as DROPPED."""
    _done(_act(message, "drop", by), as_json=as_json)


@app.command()
def settle(
    message: Message,
    arrived: Annotated[
        bool | None, typer.Option("--arrived/--not-arrived", help="What you found out; one of them is needed.")
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a message of unknown outcome arrived. If not, its next channel is tried."""
    if arrived is None:
        raise typer.BadParameter("say --arrived or --not-arrived")
    _done(_act(message, "settle", by, arrived=arrived), as_json=as_json)


@app.command()
def contacts(
    clinic: Annotated[str | None, typer.Option("--clinic", "-c", help="Of this clinic alone.")] = None,
    reason: Annotated[str | None, typer.Option(help="With this reason alone, such as NO_CONTACT.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the patients with visits ahead whom no channel leads to, and why, soonest visit first."""
    told = ServiceApi.at("notifier").ask("GET", "/v1/contacts/quality", clinic=clinic, reason=reason, limit=limit)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    console = Console()
    if not told["items"]:
        console.print(f"Everybody can be reached: {told['looked_at']:,} patients with visits ahead.", highlight=False)
        return
    table = Table(box=None, pad_edge=False)
    for name in ("patient", "next visit", "clinic", "why"):
        table.add_column(name, overflow="fold", no_wrap=name == "next visit")
    for item in told["items"]:
        at = datetime.fromisoformat(item["starts_at"]).astimezone(ZoneInfo(item["zone"]))
        each = ", ".join(f"{one['channel']} {one['reason']}" for one in item["channels"])
        whom = plain(item["patient_name"] or item["patient_id"])
        why = f"{item['reason']}: {item['reason_text']}" + (f" ({each})" if each else "")
        table.add_row(whom, f"{at:%Y-%m-%d %H:%M}", item["clinic_id"], plain(why))
    console.print(table)
    if told["next_after"]:
        console.print(f"More than these {limit}: ask for one clinic or reason, or raise --limit.")


def _act(message: str, act: str, by: str | None, **body: Any) -> dict[str, Any]:
    notifier = ServiceApi.at("notifier")
    path = f"/v1/work-list/{_find(notifier, message)}/{act}"
    told: dict[str, Any] = notifier.ask("POST", path, {"by": by or login_name(), **body})
    return told


def _find(notifier: ServiceApi, message: str) -> UUID:
    """Return the id that somebody means."""
    try:
        return UUID(message)
    except ValueError:
        pass
    items = notifier.ask("GET", "/v1/work-list", limit=500)["items"]
    found = [item["notification_id"] for item in items if item["notification_id"].startswith(message.lower())]
    if len(found) != 1:
        many = f"{len(found)} messages on the list begin with" if found else "no message on the list begins with"
        raise AttendError("WHICH_MESSAGE", f"{many} {message}; give the whole id")
    return UUID(found[0])


def _done(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    again = f" (already, by {told['acted_by']})" if told["repeat"] else ""
    words = {
        "resend": f"Sent again as {told['resent_as']}",
        "drop": f"Off the list; it is {told['state']}",
        "settle": f"Settled: it {'arrived' if told['arrived'] else 'did not arrive'}, and is {told['state']} now",
    }
    typer.echo(f"{words[told['act']]}{again}.")


def messages(items: list[dict[str, Any]]) -> Table:
    """Return what waits for a person as a table; `?` where the service does not know."""
    table = Table(box=None, pad_edge=False)
    for name in ("message", "visit", "clinic", "patient", "what", "why", "you may"):
        table.add_column(name, overflow="fold", no_wrap=name in {"message", "visit"})
    for item in items:
        at = datetime.fromisoformat(item["starts_at"]).astimezone(ZoneInfo(item["zone"] or "UTC"))
        code = f" ({item['code']})" if item["code"] else ""
        what = (item["kind"] or "?") + (f" by {item['channel']}" if item["channel"] else "")
        why = plain(f"{item['state']}: {item['reason'] or ''}{code}", STYLES.get(item["state"], ""))
        table.add_row(
            item["notification_id"][:13], f"{at:%Y-%m-%d %H:%M}", item["clinic_id"], plain(item["patient_name"] or ""),
            what, why, ", ".join(item["actions"]),
        )  # fmt: skip
    return table


def _replies(replies: list[dict[str, Any]]) -> Table:
    table = Table("reply", "received", "clinic", "text", "why", title="patients' answers", title_justify="left")
    for one in replies:
        text = plain(one["text"] or "")
        table.add_row(one["reply_id"][:13], one["received_at"][:16], one["clinic_id"], text, one["why"])
    return table
