"""What `attend map` prints."""

from collections.abc import Iterator, Mapping
from typing import Any

_WIDTH = 20
"""Characters of a field's name."""

_UNDER = " " * (_WIDTH + 4)
_TAKEN = {
    "told": "it is of a patient alone, and would register, change or merge him",
    "ignored": "taken, and there is nothing to do",
    "repeat": "taken before: nothing more would follow",
    "stale": "a later word of the source is known: nothing would change",
    "tombstone": "cancelled before it was booked: its number is kept as such",
}


def lines(name: str, told: Mapping[str, Any], *, explain: bool) -> Iterator[str]:
    """Yield what is said of a file.

    Args:
        explain: Field by field.
    """
    messages, version = told["messages"], told["profile_version"]
    count = f"{len(messages)} message{'' if len(messages) == 1 else 's'}"
    by = f"profile version {version}" if version else "all defaults"
    refused = f", {told['refused']} would be refused" if told["refused"] else ""
    yield f"{name}: {count} of {told['source']} as {told['format']} by {by}{refused}"
    yield from map(_warning, told["warnings"])
    for one in messages:
        yield from _message(one, explain=explain)


def _message(one: Mapping[str, Any], *, explain: bool) -> Iterator[str]:
    event = f" {one['event_id']}" if one["event_id"] else ""
    yield f"{one['number']}.{event} → {_outcome(one)}"
    if explain:
        for field in one["fields"]:
            yield from _field(field)
    yield from map(_warning, one["warnings"])
    for reminder in one["reminders"]:
        why = f", {reminder['reason']}" if reminder["reason"] else ""
        yield f"  reminder {reminder['rule']} at {_minute(reminder['due'])}: {reminder['becomes']}{why}"
    for flag in one["flags"]:
        yield f"  on the work list of visits: {flag}"


def _outcome(one: Mapping[str, Any]) -> str:
    refusal, after = one["refusal"], one["after"]
    if refusal is not None:
        at = f" at {refusal['place']}" if refusal["place"] else ""
        also = "".join(f"; {more['place']}: {more['detail']} ({more['code']})" for more in refusal.get("errors", []))
        return f"refused, {refusal['code']}{at}: {refusal['detail']}{also}"
    if after is None:
        return f"{one['outcome']}: {_TAKEN.get(one['outcome'], 'nothing would change')}"
    before = one["before"]
    was = f" (was {_visit(before)})" if before else " (a new visit)"
    return f"{one['outcome']}: version {after['version']}, {_visit(after)}{was}"


def _visit(visit: Mapping[str, Any]) -> str:
    at = _minute(visit["starts_at"]) if visit["starts_at"] else "no start"
    return f"{visit['status']}, {at}, {visit['clinic'] or 'at no clinic'}"


def _minute(instant: str) -> str:
    return instant[:16] + "Z"


def _field(field: Mapping[str, Any]) -> Iterator[str]:
    said = " · ".join(field["values"]) if field["values"] else f"({field['said']})"
    yield f"  {field['field']:<{_WIDTH}}  {said}"
    for origin in field["origins"]:
        found = ", ".join(part for part in (origin["place"], origin["rule"]) if part)
        knob = f"[{origin['knob']}: {origin['set_by']}]" if origin["knob"] else ""
        yield f"{_UNDER}← {' '.join(part for part in (found, knob) if part)}"


def _warning(one: Mapping[str, Any]) -> str:
    at = f" at {one['place']}" if one["place"] else ""
    return f"  ! {one['code']}{at}: {one['detail']}"
