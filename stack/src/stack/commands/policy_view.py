"""Reminder policies as tables for people."""

from collections.abc import Sequence
from typing import Any

from rich.markup import escape
from rich.table import Table

from stack.commands.plain import plain

WORDS = {
    "appointments": "visits that get another version",
    "added": "reminders added",
    "removed": "reminders removed",
    "moved": "reminders moved to another time",
    "kept": "reminders kept",
    "too_late": "too late: recorded, never sent",
}


def rules_text(rules: Sequence[dict[str, Any]]) -> str:
    """Return rules in a few words, longest lead first."""
    leads = (f"{r['lead_days']} days" if "lead_days" in r else f"{r['lead_hours']} h" for r in rules)
    return ", ".join(leads) or "no reminders"


def policy(told: dict[str, Any]) -> list[Any]:
    """Return the policy in force and its changes."""
    whose = _whose(told)
    rules = Table("rule", "lead", "in force since", title=f"{whose}: {told['policy_id']}", title_justify="left")
    for rule in told["rules"]:
        rules.add_row(rule["slug"], rules_text([rule]), _instant(rule["in_force_since"]))
    found: list[Any] = [rules if told["rules"] else f"{whose}: {told['policy_id']}. No reminders are sent."]
    if told["service_type"] and not told["own"]:
        found.append("It has no policy of its own: this is the clinic's.")
    elif told["service_types_with_own"]:
        found.append(f"Service types with their own: {escape(', '.join(told['service_types_with_own']))}.")
    if told["changes"]:
        found.append(_changes(told["changes"]))
    return found


def plan(told: dict[str, Any]) -> list[Any]:
    """Return a dry run: what it does ahead, and past months."""
    ahead = told["ahead"]
    change = f"{rules_text(told['from']['rules'])} → {rules_text(told['to']['rules'])}"
    found: list[Any] = [f"{_whose(told)}: {change}" + ("" if told["changes"] else " (in force already)")]
    title = f"{ahead['looked_at']:,} visits ahead, {told['took_ms'] / 1_000:.1f} s"
    found.append(_counts(title, ahead))
    if told["past"]:
        found.append(_past(told["past"]))
    found.append("Nothing was changed: `attend policy set` does it.")
    return found


def set_(told: dict[str, Any]) -> list[Any]:
    """Return what a policy that was set did."""
    whose = f"{_whose(told)}: {rules_text(told['rules'])} ({told['policy_id']})"
    if not told["changed"]:
        return [f"{whose} was in force already; nothing changed."]
    job = told["change"]["reissue"]
    if job["state"] == "waiting":
        return [f"{whose} is in force; `attend policy show {told['clinic_id']}` follows the visits ahead."]
    words = {"done": "reissued", "superseded": "superseded by a later change"}
    title = f"{job['looked_at']:,} visits ahead looked at: {words.get(job['state'], job['state'])}"
    return [f"{whose} is in force.", _counts(title, job)]


def _counts(title: str, counts: dict[str, Any]) -> Table:
    table = Table("what", title=title, title_justify="left")
    table.add_column("count", justify="right")
    for name, words in WORDS.items():
        table.add_row(words, f"{counts[name]:,}")
    return table


def _past(months: Sequence[dict[str, Any]]) -> Table:
    table = Table("past month", title="reminders that would have left", title_justify="left")
    for name in ("visits", "as it was", "with these rules", "difference"):
        table.add_column(name, justify="right")
    for month in months:
        was, would = month["as_it_was"], month["with_these_rules"]
        table.add_row(month["month"], f"{month['visits']:,}", f"{was:,}", f"{would:,}", f"{would - was:+,}")
    return table


def _changes(changes: Sequence[dict[str, Any]]) -> Table:
    table = Table(
        "version", "service type", "set", "by", "from", "to", "reissue", title="changes", title_justify="left"
    )
    for change in changes:
        job = change["reissue"]
        counts = f"{job['state']}: +{job['added']:,} -{job['removed']:,} ↔{job['moved']:,}"
        sides = (rules_text(change[side]["rules"]) for side in ("from", "to"))
        by, service = plain(change["set_by"]), plain(change["service_type"] or "")
        row = (str(change["version"]), service, _instant(change["set_at"]), by)
        table.add_row(*row, *sides, counts)
    return table


def _whose(told: dict[str, Any]) -> str:
    whose = f"{told['clinic_id']}, {told['service_type']}" if told["service_type"] else str(told["clinic_id"])
    return escape(whose)


def _instant(written: str) -> str:
    return written[:16].replace("T", " ") + " UTC"
