"""An event of ours piece by piece: what is essential in it, what may be dropped, what is no field of it (0038)."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.door.bodies import Path, refusals_of
from booking.values.refusals import Refused
from booking.values.warned import UNKNOWN_FIELD, Details, Warned, dropped

type Fields = Mapping[Path, frozenset[str]]
"""Where an object stands in an event → its fields."""

_ESSENTIAL = frozenset(
    {("event_id",), ("source",), ("mode",), ("appointment",)}
    | {("appointment", name) for name in ("id", "status", "patient")}
)
"""Which event and which appointment, whose, in which status, and how it is to be taken."""

_START = ("appointment", "start")

MOST_NAMED = 5
"""Unknown fields that are named of one object: a sender with many of its own hears of the first."""

_NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,39}")


def without_details(value: Any, error: ValidationError, fields: Fields, details: Details) -> Any:
    """Return the event without the details that have not the shape, which are noted.

    Args:
        error: What is wrong with the event as a whole.

    Raises:
        Refused: Something essential has not the shape either.
    """
    wrong = list(refusals_of(error))
    status = value["appointment"].get("status") if _is_nested(value) else None
    for path, refusal in wrong:
        if path[:1] in _ESSENTIAL - {("appointment",)} or path[:2] in _ESSENTIAL or not path:
            raise _hinted(refusal, path, value, fields)
        if path[:2] == _START and str(status) not in NEEDS_NO_START:
            raise refusal
    kept = {**value, "appointment": {**value["appointment"]}}
    for path, refusal in wrong:
        inside, name = (kept["appointment"], path[1]) if path[0] == "appointment" else (kept, path[0])
        inside.pop(name, None)
        details.warnings.append(dropped(refusal))
    return kept


def noted(value: Any, fields: Fields, details: Details) -> None:
    """Note the fields that an event has not: they may be misspelt."""
    for path, known in fields.items():
        found = _at(value, path)
        if isinstance(found, dict) and not known.issuperset(found):
            for name in sorted(found.keys() - known)[:MOST_NAMED]:
                details.warnings.append(_unknown(path, name, known))


def _at(value: Any, path: Path) -> Any:
    """Return what stands there, None if nothing does."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _unknown(path: Path, name: str, known: frozenset[str]) -> Warned:
    """Return the warning of a field; a name that looks like no name is not repeated."""
    place = ".".join([*map(str, path), name if _NAME.fullmatch(name) else "?"])
    close = get_close_matches(name, known, 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return Warned(UNKNOWN_FIELD, place, f"an event has no such field, and it was passed over{hint}")


def _hinted(refusal: Refused, path: Path, value: Any, fields: Fields) -> Refused:
    """Return the refusal of something missing, with the field that may be it, misspelt."""
    known = fields.get(path[:-1])
    if refusal.code != "MISSING_FIELD" or known is None:
        return refusal
    inside = _at(value, path[:-1])
    unknown = [name for name in inside or () if name not in known and _NAME.fullmatch(name)]
    close = get_close_matches(str(path[-1]), unknown, 1)
    return Refused(refusal.code, f"{refusal.message}; is it {close[0]}?", refusal.place) if close else refusal


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("appointment"), dict)
