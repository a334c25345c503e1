"""How a timeline looks in the terminal."""

import re
from collections.abc import Sequence
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
    "refused": "red",
    "overridden": "yellow",
    "uncleared": "yellow",
    "withdrawn": "red",
    "cleared": "green",
    "waived": "green",
    "pending": "yellow",
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
    return [*parts, *_lacking(told), _answer(told["answer"])]


def _lacking(told: dict[str, Any]) -> list[Text]:
    """Return what lacks, or lacked when the patient was let in; a notifier of the release before says less."""
    let_in, lacking = told.get("let_in"), told.get("lacking")
    if let_in and let_in["lacking"]:
        return [plain(let_in["text"], "yellow")]
    if not lacking:
        return []
    named = ", ".join(f"{one['title']} ({one['code'].lower().replace('_', ' ')})" for one in lacking)
    is_in = told["status"] in {"checked-in", "fulfilled"}
    words = "The patient is in; the visit lacks now" if is_in else "Before check-in the visit lacks"
    return [plain(f"{words}: {named}", "yellow")]


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


def visits(word: str, items: Sequence[dict[str, Any]], of: int) -> list[Any]:
    """Return a patient's visits, in the order given, as parts to print: one row each, with the id to ask further.

    Args:
        of: How many he has.
    """
    if not items:
        return [plain(f"{word} is a patient, and has no visit.")]
    name = next((item["patient_name"] for item in items if item.get("patient_name")), None)
    table = Table(box=None, pad_edge=False)
    for heading in ("visit", "when", "clinic", "status", "what he got"):
        table.add_column(heading, no_wrap=heading in {"visit", "when"})
    for item in items:
        when = (item.get("starts_local") or item.get("starts_at") or "-")[:16].replace("T", " ")
        row = (item["appointment_id"], when, item["clinic_id"] or "-", item["status"])
        table.add_row(*map(plain, row), plain(_in_short(item["answer"])))
    more = [plain(f"The newest {len(items)} of {of} visits: --limit shows more.")] if of > len(items) else []
    whose = f"{word} ({name})" if name else word
    way = plain("`attend why VISIT` says everything of one.")
    return [plain(f"Patient {whose}, {of} visit{'' if of == 1 else 's'}", "bold"), table, *more, way]


_SHORT = (("got", "got"), ("may_have_got", "may have got"), ("to_come", "to come"), ("will_not_get", "will not get"),
          ("did_not_get", "not sent"))  # fmt: skip


def _in_short(answer: dict[str, Any]) -> str:
    """Return what he got, and did not, by the names of the messages alone."""
    told = []
    for field, words in _SHORT:
        names = dict.fromkeys(_name(one) for one in answer.get(field, ()))
        told += [f"{words}: {', '.join(names)}"] if names else []
    held = ["sending is held"] if answer.get("held") else []
    return "; ".join([*held, *told]) or "nothing"


def _name(one: str) -> str:
    """Return a message's name, without when and why."""
    return re.split(r" at \d| \(|, (?:which|until) ", one, maxsplit=1)[0]
