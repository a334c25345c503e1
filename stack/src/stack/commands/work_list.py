"""`attend work-list`: messages that wait for a person, and what he does with them (B12)."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from chassis.process.errors import AttendError
from chassis.process.terminal import console, show_all
from stack.commands import visit_flags
from stack.commands.plain import plain
from stack.commands.sending_modes import login_name
from stack.commands.service_api import PREFIX, ServiceApi

app = typer.Typer(
    help="Messages that failed, may have arrived, or found no contact; patients' answers; and flags of visits."
)
app.command()(visit_flags.visits)
app.command()(visit_flags.done)

STYLES = {"failed": "red", "unknown": "magenta", "skipped": "yellow"}

Message = Annotated[
    str, typer.Argument(metavar="MESSAGE", help="Its id, or 8 characters at least of its beginning; listed or not.")
]
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
    more = [f"More than these {limit}: ask for one clinic or reason, or raise --limit."] if told["next_after"] else []
    show_all(console(), [*waiting(told, clinic, reason, state, ahead=ahead), *more])


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
    told = _ask_quality(ServiceApi.at("notifier"), clinic=clinic, reason=reason, limit=limit)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    show_all(console(), unreachable(told, clinic, reason, limit))


def _ask_quality(notifier: ServiceApi, **asked: Any) -> dict[str, Any]:
    """Return the first page that holds anybody, or the last one; `looked_at` is of all pages that were read."""
    looked, after = 0, None
    while True:
        told: dict[str, Any] = notifier.ask("GET", "/v1/contacts/quality", after=after, **asked)
        looked, after = looked + told["looked_at"], told["next_after"]
        if told["items"] or not after:
            return told | {"looked_at": looked}


def unreachable(told: dict[str, Any], clinic: str | None, reason: str | None, limit: int) -> list[RenderableType]:
    """Return who cannot be reached as parts to print; an empty list says of whom."""
    of = f"{told['looked_at']:,} patients with visits ahead" + (f" at {clinic}" if clinic else "")
    if not told["items"] and reason:
        return [Text(f"None of {of} is out of reach for the reason {reason}; for another perhaps.")]
    if not told["items"]:
        return [Text(f"Everybody can be reached: {of}.")]
    table = Table(box=None, pad_edge=False)
    for name in ("patient", "next visit", "clinic", "why"):
        table.add_column(name, no_wrap=name == "next visit")
    for item in told["items"]:
        at = datetime.fromisoformat(item["starts_at"]).astimezone(ZoneInfo(item["zone"]))
        each = ", ".join(f"{one['channel']} {one['reason']}" for one in item["channels"])
        whom = plain(item["patient_name"] or item["patient_id"])
        why = f"{item['reason']}: {item['reason_text']}" + (f" ({each})" if each else "")
        table.add_row(whom, f"{at:%Y-%m-%d %H:%M}", item["clinic_id"], plain(why))
    more = [Text(f"More than these {limit}: ask for one clinic or reason, or raise --limit.")]
    return [table, *(more if told["next_after"] else [])]


def _act(message: str, act: str, by: str | None, **body: Any) -> dict[str, Any]:
    notifier = ServiceApi.at("notifier")
    path = f"/v1/work-list/{_find(notifier, message)}/{act}"
    told: dict[str, Any] = notifier.ask("POST", path, {"by": by or login_name(), **body})
    return told


def _find(notifier: ServiceApi, message: str) -> UUID:
    """Return the id that somebody means, by its beginning whether the message is still on the list or not.

    Raises:
        AttendError: WHICH_MESSAGE: none, or several, which are named.
    """
    try:
        return UUID(message)
    except ValueError:
        pass
    if not PREFIX.fullmatch(message):
        raise typer.BadParameter("neither an id nor 8 characters of its beginning")
    items = notifier.ask("GET", "/v1/work-list/named", prefix=message)["items"]
    if not items:
        raise AttendError("WHICH_MESSAGE", f"no message's id begins with {message}")
    if len(items) > 1:
        each = "".join(f"\n  {_which(item)}" for item in items)
        raise AttendError("WHICH_MESSAGE", f"{message} is the beginning of several messages; give more of it:{each}")
    return UUID(items[0]["notification_id"])


def _which(item: dict[str, Any]) -> str:
    """Return what tells one message from another, and what was done with it."""
    visit = f" of the visit at {_utc(item['starts_at'])}" if item["starts_at"] else ""
    where = f" ({item['clinic_id']})" if item["clinic_id"] else ""
    done = "".join(f"; {one['act']} by {one['acted_by']} at {_utc(one['acted_at'])}" for one in item["done"])
    return f"{item['notification_id']}  {item['kind'] or 'message'}{visit}{where}, {item['state']}{done}"


def _utc(written: str) -> str:
    return f"{datetime.fromisoformat(written).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _done(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    words = {
        "resend": f"sent again as {told['resent_as']}",
        "drop": f"off the list; it is {told['state']}",
        "settle": f"settled: it {'arrived' if told['arrived'] else 'did not arrive'}, and is {told['state']} now",
    }
    before = f"Done before, by {told['acted_by']} at {_utc(told['acted_at'])}: " if told["repeat"] else ""
    said = f"{before}{words[told['act']]}."
    typer.echo(said[0].upper() + said[1:])


def waiting(
    told: dict[str, Any], clinic: str | None, reason: str | None, state: str | None, *, ahead: bool
) -> list[RenderableType]:
    """Return the list as parts to print; one that is empty says of what, and never that nothing waits above answers."""
    asked = [
        f" at {clinic}" if clinic else "",
        f" that is {state}" if state else "",
        f" with the reason {reason}" if reason else "",
        " of a visit that has not begun" if ahead else "",
    ]
    if told["items"]:
        parts: list[RenderableType] = [messages(told["items"])]
    elif told["replies"]:
        parts = [Text(f"No message{''.join(asked)} waits; patients' answers do.")]
    else:
        parts = [Text(f"No message{''.join(asked)} waits for anybody.")]
    return [*parts, _replies(told["replies"])] if told["replies"] else parts


def messages(items: list[dict[str, Any]]) -> Table:
    """Return what waits for a person as a table; `?` where the service does not know."""
    table = Table(box=None, pad_edge=False)
    for name in ("message", "visit", "clinic", "patient", "what", "why", "you may"):
        table.add_column(name, no_wrap=name in {"message", "visit"})
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
        table.add_row(one["reply_id"], one["received_at"][:16], one["clinic_id"], text, one["why"])
    return table
