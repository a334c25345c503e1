"""A clinic's day, and what becomes of it, as tables and sentences for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from stack.commands.plain import plain

type Told = dict[str, Any]
"""An answer of `POST /v1/appointments/cancel` or `/move`."""

_COUNTS = ("applied", "repeat", "refused", "reminders_cancelled")
_DONE = {"cancel": "cancelled", "move": "moved"}


def together(whole: Told, page: Told) -> Told:
    """Return the answers to the pages of one order as one; people who are told are counted once."""
    if not whole:
        return page
    results = whole["results"] + page["results"]
    totals = {name: whole["totals"][name] + page["totals"][name] for name in _COUNTS}
    told = {one["patient_id"] for one in results if "patient" in one["told"]}
    most = max(whole["totals"]["providers_told"], page["totals"]["providers_told"])
    totals |= {"patients_told": len(told), "providers_told": most}
    return {**page, "results": results, "totals": totals}


def visits(items: Sequence[Mapping[str, Any]]) -> Table:
    """Return a day's visits; who may not be shown stands as why."""
    table = _table("time", "patient", "phone", "provider", "service", "status", "visit")
    for one in items:
        table.add_row(
            _clock(one["starts_local"]), _whom(one), plain(one["patient_mobile"] or "-"),
            plain(one["provider_name"] or one["provider_id"] or "-"), plain(one["service_type"] or "-"),
            plain(one["status"]), plain(one["source_id"] or one["appointment_id"]),
        )  # fmt: skip
    return table


def counted(items: Sequence[Mapping[str, Any]]) -> str:
    """Return how many there are, in all and by status."""
    by = ", ".join(f"{count} {status}" for status, count in Counter(one["status"] for one in items).most_common())
    return f"{_many(len(items), 'visit')} of {_many(len({one['patient_id'] for one in items}), 'patient')}: {by}."


def none(which: Mapping[str, Any], ahead: str = "") -> str:
    """Return in a sentence that there is no visit of those asked for; `ahead` says which of them were looked for."""
    asked = " that is as asked" if any(which.get(name) for name in ("provider", "source", "status")) else ""
    return f"No visit{asked}{ahead} at {which['clinic']} on {which['day']}."


def nothing_to_do(act: str, which: Mapping[str, Any]) -> str:
    """Return in a sentence that an order finds no visit, and so changes nothing."""
    return f"{none(which, ' lies ahead')} Nothing is {_DONE[act]}."


def order(told: Told, people: Sequence[Mapping[str, Any]]) -> Table:
    """Return what becomes of each visit of an order.

    Args:
        people: The visits as `GET /v1/appointments` lists them, for the names.
    """
    named = {one["appointment_id"]: one for one in people}
    table = _table("time", "patient", "visit", "becomes", "reminders", "told")
    for one in told["results"]:
        becomes = plain(f"{one['code']}: {one['detail']}", "yellow") if one["code"] else plain(_becomes(told, one))
        table.add_row(
            _clock(one["starts_local"]), _whom(named.get(one["appointment_id"])), plain(one["source_id"] or "-"),
            becomes, str(one["reminders_cancelled"] or "-"), plain(", ".join(one["told"]) or "-"),
        )  # fmt: skip
    return table


def would(told: Told, which: Mapping[str, Any]) -> str:
    """Return in a sentence what a dry run found."""
    return f"{which['clinic']} on {which['day']}, nothing is changed yet: {_said(told)}"


def summary(told: Told, calls: int, seconds: float) -> str:
    """Return in a sentence what was done, with how many calls in all, and how long the doing took."""
    return f"{_said(told)} {_many(calls, 'call')}, {seconds:.1f} s."


def not_done(told: Told) -> list[Table]:
    """Return the visits that were left as they are, and why, if there are any."""
    left = [one for one in told["results"] if one["code"]]
    return [order({**told, "results": left}, [])] if left else []


def _said(told: Told) -> str:
    totals = told["totals"]
    said = f"{_many(totals['applied'], 'visit')} {_DONE[told['act']]}"
    said += f", {totals['repeat']} already" if totals["repeat"] else ""
    said += f", {totals['refused']} left as they are" if totals["refused"] else ""
    people = f"{_many(totals['patients_told'], 'patient')} and {_many(totals['providers_told'], 'provider')}"
    return f"{said}; {_many(totals['reminders_cancelled'], 'reminder')} taken back; {people} to be told."


def _becomes(told: Told, one: Mapping[str, Any]) -> str:
    if one["result"] == "repeat":
        return "as it is"
    return str(one["new_starts_local"] or "").replace("T", " ")[:16] if told["act"] == "move" else "cancelled"


def _whom(one: Mapping[str, Any] | None) -> Any:
    if one is None:
        return plain("-")
    return plain(one["patient_name"] or f"({one['patient_withheld'] or 'no name'})")


def _clock(local: str | None) -> str:
    return "-" if local is None else local[11:16]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name == "time")
    return table
