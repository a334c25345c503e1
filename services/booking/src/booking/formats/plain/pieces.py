"""An event of ours piece by piece: what is essential in it, what may be dropped, what is no field of it (0038)."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from booking.appointments.domain.statuses import NEEDS_NO_START
from booking.door.bodies import Path, refusals_of, unknown_field
from booking.values.warned import Details, dropped
from chassis.api.known_fields import MOST_NAMED

type Fields = Mapping[Path, frozenset[str]]
"""Where an object stands in an event → its fields."""

_ESSENTIAL = frozenset(
    {("event_id",), ("source",), ("mode",), ("appointment",)}
    | {("appointment", name) for name in ("id", "status", "patient")}
)
"""Which event and which appointment, whose, in which status, and how it is to be taken."""

_START = ("appointment", "start")


def without_details(value: Any, error: ValidationError, details: Details) -> Any:
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
            raise refusal
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
                details.warnings.append(unknown_field(path, name, known))


def _at(value: Any, path: Path) -> Any:
    """Return what stands there, None if nothing does."""
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _is_nested(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("appointment"), dict)
