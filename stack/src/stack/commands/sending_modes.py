"""`attend sending`: which messages may leave, for the installation and for single clinics."""

import getpass
import json
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from chassis.process.terminal import console, show_all
from stack.commands.plain import plain
from stack.commands.service_api import ServiceApi

app = typer.Typer(no_args_is_help=True, help="Sending modes: hold, allow-list or live, per installation and clinic.")

INHERIT = "installation"
"""As a clinic's mode: it has none of its own."""

Clinic = Annotated[str | None, typer.Option("--clinic", "-c", help="The clinic's code; left out: the installation.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before going live.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it, for the audit; left out: your login name.")]


def login_name() -> str:
    """Return who runs the command, as far as the machine knows."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


@app.command()
def show(
    clinic: Clinic = None,
    changes: Annotated[int, typer.Option(min=0, max=500, help="So many changes of the past, newest first.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Show the mode in force, how many messages wait for it, and who changed it when.

    Exit codes: 0 shown, 1 not answered, 2 wrong words.
    """
    notifier = ServiceApi.at("notifier")
    told = notifier.ask("GET", _path(clinic))
    told["changes"] = (
        notifier.ask("GET", "/v1/sending/changes", clinic=clinic, limit=changes)["items"] if changes else []
    )
    _print(told, as_json=as_json)


@app.command("set")
def set_(
    mode: Annotated[str | None, typer.Option(help=f"hold, allow-list or live; for a clinic also {INHERIT}.")] = None,
    clinic: Clinic = None,
    allow: Annotated[
        list[str] | None, typer.Option(help="An address that allow-list lets through at the clinic; repeat it.")
    ] = None,
    double_over_miss: Annotated[
        bool | None, typer.Option(help="After an unknown outcome, try the next channel of the clinic's patients.")
    ] = None,
    no_show_follow_up: Annotated[bool | None, typer.Option(help="Write to patients who missed their visit.")] = None,
    replies: Annotated[bool | None, typer.Option(help="Reminders say how to confirm and cancel by reply.")] = None,
    window: Annotated[
        list[str] | None, typer.Option(help="A channel's hours, such as sms=09:00-20:00; sms= takes them away.")
    ] = None,
    yes: Yes = False,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    """Choose. What is not given stays. Going live asks first, and says how many waiting messages that lets out.

    It counts for every call that has not begun. Exit codes: 0 in force, 1 refused or not answered, 2 wrong words.
    """
    notifier = ServiceApi.at("notifier")
    wishes: dict[str, Any] = {
        "double_over_miss": double_over_miss, "no_show_follow_up": no_show_follow_up, "replies": replies,
        "allow_list": allow,
    }  # fmt: skip
    given = {name: value for name, value in wishes.items() if value is not None}
    held = notifier.ask("GET", _path(clinic))
    if clinic is None:
        if given or window:
            raise typer.BadParameter("only a mode can be set for the whole installation", param_hint="--clinic")
        if mode is None:
            raise typer.BadParameter("hold, allow-list or live", param_hint="--mode")
        body: dict[str, Any] = {"mode": mode}
    else:
        kept = ("mode", "allow_list", "double_over_miss", "no_show_follow_up", "replies", "channel_windows")
        body = {name: held[name] for name in kept} | given
        body["mode"] = held["mode"] if mode is None else None if mode == INHERIT else mode
        body["channel_windows"] = _windows(held["channel_windows"], window or [])
    if not yes:
        _ask(held, body, notifier)
    body["by"] = by or login_name()
    _print(notifier.ask("PUT", _path(clinic), body, if_match=held["version"]), as_json=as_json)


def _ask(held: dict[str, Any], body: dict[str, Any], notifier: ServiceApi) -> None:
    """Ask before messages are let out; a refusal ends the command with 1."""
    before = held.get("effective_mode", held["mode"])
    after = body["mode"] or notifier.ask("GET", "/v1/sending")["mode"]
    if after != "live" or before == "live":
        return
    whose, count = _released(held)
    told = f"Go live {whose}? That releases {count:,} waiting messages to patients, and every one to come."
    typer.confirm(told, abort=True, err=True)


def _released(held: dict[str, Any]) -> tuple[str, int]:
    if "clinic_id" in held:
        return f"at {held['clinic_id']}", held["queued"]
    own = [one["queued"] for one in held["queued"] if one["own_mode"] is None]
    return "at every clinic without a mode of its own", sum(own)


def _windows(held: dict[str, Any], wishes: list[str]) -> dict[str, Any]:
    kept = dict(held)
    for wish in wishes:
        channel, equals, hours = wish.partition("=")
        opens, dash, closes = hours.partition("-")
        if not equals or (hours and not dash):
            raise typer.BadParameter("such as sms=09:00-20:00, or sms= to take them away", param_hint="--window")
        if hours:
            kept[channel] = [opens, closes]
        else:
            kept.pop(channel, None)
    return kept


def _path(clinic: str | None) -> str:
    return "/v1/sending" if clinic is None else f"/v1/clinics/{quote(clinic, safe='')}/sending"


def _print(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    parts = _clinic(told) if "clinic_id" in told else installation(told)
    show_all(console(), [plain(part) if isinstance(part, str) else part for part in parts])


def installation(told: dict[str, Any]) -> list[Any]:
    """Return the installation's mode, what waits for it and who changed it, as parts to print."""
    who = f", set by {told['changed_by']} {told['changed_at'][:16]}" if told["version"] else ", by its setting"
    table = Table("clinic", "mode", box=None, pad_edge=False)
    for name in ("waiting", "due now"):
        table.add_column(name, justify="right")
    for one in told["queued"]:
        own = "" if one["own_mode"] else " (installation's)"
        table.add_row(one["clinic_id"] or "?", f"{one['mode']}{own}", f"{one['queued']:,}", f"{one['due']:,}")
    waits = table if told["queued"] else "No message waits."
    return [f"Installation: {told['mode']} (version {told['version']}{who})", waits, *_changes(told)]


def _clinic(told: dict[str, Any]) -> list[Any]:
    own = told["mode"] or f"the installation's, {told['effective_mode']}"
    lines = [
        f"{told['clinic_id']}: mode {own}; {told['queued']:,} messages wait, {told['due']:,} of them due",
        f"After an unknown outcome: {'the next channel' if told['double_over_miss'] else 'nothing, a person decides'}",
        f"Follow-up of missed visits: {_on(told['no_show_follow_up'])}; replies by code: {_on(told['replies'])}",
    ]
    hours = [f"{channel} {opens}-{closes}" for channel, (opens, closes) in sorted(told["channel_windows"].items())]
    lines.append(f"Hours of channels: {', '.join(hours) or 'those of the clinic'}")
    if told["allow_list"]:
        lines.append(f"Allow-list here: {', '.join(told['allow_list'])}")
    if not told["has_visits"]:
        lines.append("No visit of this clinic was ever seen: is the code right?")
    return [*lines, *_changes(told)]


def _on(value: bool) -> str:
    return "on" if value else "off"


def _changes(told: dict[str, Any]) -> list[Any]:
    if not told.get("changes"):
        return []
    table = Table("when", "who", "clinic", "what", title="changes", title_justify="left")
    for one in told["changes"]:
        before = one["before"] or {}
        what = [f"{name}: {before.get(name)} → {value}" for name, value in one["after"].items()
                if before.get(name) != value]  # fmt: skip
        table.add_row(one["changed_at"][:16], plain(one["changed_by"]), one["clinic_id"], plain("\n".join(what)))
    return [table]
