"""`attend day`, `attend cancel-day`, `attend move-day`: a clinic's day, and what its desk does with it (0049)."""

import json
import time
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chassis.process.terminal import console, show_all
from stack.commands import day_view as view
from stack.commands.plain import plain
from stack.commands.sending_modes import login_name
from stack.commands.service_api import Booking

EXIT_IN_PART = 3
"""Some visits did not fit, and were left as they are."""

Clinic = Annotated[str, typer.Argument(metavar="CLINIC", help="The clinic's code, such as EYE.")]
Day = Annotated[str, typer.Argument(metavar="DAY", help="YYYY-MM-DD, by the clock at the clinic.")]
NearDay = Annotated[str, typer.Argument(metavar="[DAY]", help="YYYY-MM-DD, today or tomorrow, by the clock there.")]
Provider = Annotated[str | None, typer.Option(help="Of this provider alone, by our id or the source's.")]
Source = Annotated[str | None, typer.Option(help="What came from this source alone; --provider may be its id.")]
Status = Annotated[list[str] | None, typer.Option(help="In this status alone, such as booked; repeat it.")]
Reason = Annotated[str | None, typer.Option(help="Why; kept with each visit.")]
By = Annotated[str | None, typer.Option("--by", help="Who does it, kept with the order; left out: your login name.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, and do not look first.")]
OrderKey = Annotated[str | None, typer.Option("--key", help="Of an order that was cut off: goes on where it was.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@dataclass
class Desk:
    """Booking as a client speaks to it, and how often it was asked."""

    booking: Booking = field(default_factory=Booking.as_client)
    calls: int = 0

    def ask(self, method: str, path: str, body: object = None, **query: Any) -> Any:
        """Return the JSON answer."""
        self.calls += 1
        return self.booking.ask(method, path, body, **query)

    def visits(self, **asked: Any) -> list[dict[str, Any]]:
        """Return all pages of the visits asked for."""
        items: list[dict[str, Any]] = []
        after = None
        while True:
            page = self.ask("GET", "/v1/appointments", after=after, **asked)
            items += page["items"]
            if (after := page["next_after"]) is None:
                return items

    def carry_out(self, act: str, body: dict[str, Any], *, shown: bool) -> dict[str, Any]:
        """Return the answers to all pages of an order as one."""
        whole: dict[str, Any] = {}
        with _progress(shown=shown) as progress:
            task, after = progress.add_task("visits", total=None), None
            while True:
                told = self.ask("POST", f"/v1/appointments/{act}", body, after=after)
                whole = view.together(whole, told)
                progress.update(task, completed=len(whole["results"]), total=told["visits"])
                if (after := told["next_after"]) is None:
                    return whole


def day(
    clinic: Clinic,
    day: NearDay = "today",
    provider: Provider = None,
    source: Source = None,
    status: Status = None,
    as_json: AsJson = False,
) -> None:
    """List the visits of a clinic's day, with names and phones of patients whom the key may read.

    Exit codes: 0 shown, 1 refused or not answered, 2 wrong words.
    """
    items = Desk().visits(clinic=clinic, day=day, provider=provider, source=source, status=status)
    if as_json:
        typer.echo(json.dumps({"items": items}, indent=2))
        return
    if not items:
        _show([view.none({"clinic": clinic, "day": day, "provider": provider, "source": source, "status": status})])
        return
    _show([view.visits(items), view.counted(items)])


def cancel_day(
    clinic: Clinic,
    day: Day,
    provider: Provider = None,
    source: Source = None,
    status: Status = None,
    reason: Reason = None,
    by: By = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    key: OrderKey = None,
    as_json: AsJson = False,
) -> None:
    """Cancel the visits of a clinic's day that lie ahead. Shows what it would do, and asks.

    Exit codes: 0 all cancelled, 1 refused, not answered or not wanted, 2 wrong words, 3 some did not fit.
    """
    which = _which(clinic=clinic, day=day, provider=provider, source=source, status=status, reason=reason, by=by)
    order(Desk(), "cancel", which, key, dry_run=dry_run, yes=yes, as_json=as_json)


def move_day(
    clinic: Clinic,
    day: Day,
    to: Annotated[str | None, typer.Option("--to", help="The day to which each goes, at its time of day.")] = None,
    by_minutes: Annotated[
        int | None, typer.Option(help="How far the clinic's clock is turned; back if below 0.")
    ] = None,
    provider: Provider = None,
    source: Source = None,
    status: Status = None,
    reason: Reason = None,
    by: By = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    key: OrderKey = None,
    as_json: AsJson = False,
) -> None:
    """Move the visits of a clinic's day that lie ahead, by the clock at the clinic. Shows what it would do, and asks.

    Exit codes: 0 all moved, 1 refused, not answered or not wanted, 2 wrong words, 3 some did not fit.
    """
    if (to is None) == (by_minutes is None):
        raise typer.BadParameter("give --to or --by-minutes")
    which = _which(clinic=clinic, day=day, provider=provider, source=source, status=status, reason=reason, by=by)
    which |= {"to_day": to} if to else {"by_minutes": by_minutes}
    order(Desk(), "move", which, key, dry_run=dry_run, yes=yes, as_json=as_json)


def _which(by: str | None, **given: object) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value} | {"by": by or login_name()}


def order(
    desk: Desk, act: str, which: dict[str, Any], key: str | None, *, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Give an order and print what it did, after a look at what it would do, unless `yes` or a `key` is given.

    Raises:
        typer.Exit: At the end, with the exit code; a dry run, and one that finds nothing to do, return.
    """
    if dry_run or not (yes or key):
        tried = _look_first(desk, act, which, as_json=as_json and dry_run)
        if dry_run or not tried["totals"]["applied"]:
            return
        typer.confirm(f"{act.capitalize()} {tried['totals']['applied']} visits?", abort=True, err=True)
    key, began = key or f"desk-{uuid4()}", time.monotonic()
    typer.echo(f"Order {key}: if this is cut off, the same command with --key {key} goes on where it was.", err=True)
    told = desk.carry_out(act, {**which, "event_id": key}, shown=not as_json)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
    elif told["results"]:
        _show([*view.not_done(told), view.summary(told, desk.calls, time.monotonic() - began)])
    else:
        _show([view.nothing_to_do(act, which)])
    raise typer.Exit(EXIT_IN_PART if told["totals"]["refused"] else 0)


def _look_first(desk: Desk, act: str, which: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    """Print what an order would do and return it."""
    tried = desk.carry_out(act, {**which, "dry_run": True}, shown=not as_json)
    if as_json:
        typer.echo(json.dumps(tried, indent=2))
        return tried
    if not tried["results"]:
        _show([view.nothing_to_do(act, which)])
        return tried
    named = ("clinic", "day", "provider", "source", "status")
    people = desk.visits(**{name: which.get(name) for name in named})
    _show([view.order(tried, people), view.would(tried, which)])
    return tried


def _show(parts: list[Any]) -> None:
    show_all(console(), [plain(part) if isinstance(part, str) else part for part in parts])


def _progress(*, shown: bool) -> Progress:
    """Return a progress bar on stderr, so that stdout stays the answer alone."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True, disable=not shown)
