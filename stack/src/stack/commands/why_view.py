"""How a timeline looks in the terminal."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.table import Table
from rich.text import Text

from stack.commands.plain import plain

NARROW = 100
"""Below so many characters, reasons stand behind the sentence instead of in a column."""

_STYLES = {
    "accepted": "green",
    "given": "green",
    "sent": "green",
    "delivered": "green",
    "read": "green",
    "booked": "green",
    "active": "green",
    "confirmed": "green",
    "rejected": "red",
    "failed": "red",
    "undelivered": "red",
    "cancelled": "red",
    "noshow": "red",
    "unknown": "magenta",
    "skipped": "yellow",
    "closed": "yellow",
    "not-planned": "yellow",
    "not-accepted": "yellow",
    "parked": "yellow",
    "stored": "yellow",
    "stop": "yellow",
    "queued": "cyan",
    "under-way": "cyan",
    "planned": "cyan",
    "handed-over": "cyan",
}


def timeline(told: dict[str, Any], width: int) -> list[Any]:
    """Return the parts to print: heading, table, what is missing, and the answer as the last line."""
    parts: list[Any] = [_heading(told), _table(told, narrow=width < NARROW)]
    parts += [Text(f"{one['service']} did not answer: {one['code']}", style="red") for one in told["missing"]]
    return [*parts, _answer(told["answer"])]


def _heading(told: dict[str, Any]) -> Text:
    named = f" ({told['source']}:{told['source_id']})" if told["source_id"] else ""
    return plain(f"Appointment {told['appointment_id']}{named}, {told['status'] or 'status not known'}", "bold")


def _table(told: dict[str, Any], *, narrow: bool) -> Table:
    zone = ZoneInfo(told["zone"])
    table = Table(box=None, pad_edge=False)
    table.add_column(f"when, {told['zone']}", no_wrap=True)
    table.add_column("who", no_wrap=True)
    table.add_column("what", overflow="fold")
    if not narrow:
        table.add_column("why", overflow="fold", max_width=24)
    day = ""
    for entry in told["entries"]:
        at = datetime.fromisoformat(entry["at"]).astimezone(zone)
        date, day = ("" if f"{at:%Y-%m-%d}" == day else f"{at:%Y-%m-%d}"), f"{at:%Y-%m-%d}"
        what = plain(entry["text"], style(entry["what"]))
        reason = plain(entry["reason"] or "")
        if narrow and reason and reason.plain not in what.plain:
            what.append(f" [{reason.plain}]")
        table.add_row(f"{date:10} {at:%H:%M:%S}", entry["source"], what, *([] if narrow else [reason]))
    return table


def style(what: str) -> str:
    """Return the colour of an outcome: green went well, red did not, yellow was left out, magenta nobody knows."""
    return _STYLES.get(what.partition(".")[2], "")


def _answer(answer: dict[str, Any]) -> Text:
    return plain(answer["text"], f"bold {_colour(answer)}")


def _colour(answer: dict[str, Any]) -> str:
    if answer["got"]:
        return "green"
    if answer["may_have_got"]:
        return "magenta"
    if answer.get("held"):  # a notifier of the release before does not say so
        return "yellow"
    return "cyan" if answer["to_come"] else "red"
