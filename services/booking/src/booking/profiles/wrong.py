"""What is wrong with a profile: every place of it, the nearest known name, and what is allowed there."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from pydantic import BaseModel, ValidationError

from booking.profiles import csv_knobs, knobs
from booking.values.refusals import Refused
from chassis.api.codes import SHAPES, shape_code
from chassis.api.known_fields import fields_at
from chassis.api.nearest import did_you_mean

type Location = tuple[int | str, ...]

_PATTERNS: Mapping[str, str] = {**knobs.PATTERNS, **csv_knobs.PATTERNS}
_TYPES: Mapping[str, str] = {
    "tuple_type": "a list, as [PID-3, PID-2]",
    "dict_type": "keys with values below it",
    "model_type": "keys with values below it; without any, leave this key out",
    "model_attributes_type": "keys with values below it; without any, leave this key out",
    "string_type": "a text; in YAML, one that looks like a number or like true stands in quotes",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "missing": "this is needed",
}
_NAMED = re.compile(r"'([^']*)'")
LONGEST_PLACE = 200


def refusals(error: ValidationError, value: Any, model: type[BaseModel]) -> Sequence[Refused]:
    """Return the refusal of each place that is wrong, in the order of the model; a place is named once.

    Args:
        value: What was read, as JSON.
        model: By which it was read.
    """
    found: dict[str, Refused] = {}
    for one in error.errors(include_url=False):
        location = one["loc"] if one["type"] == "missing" else there(one["loc"], value)
        place = ".".join(map(str, location))[:LONGEST_PLACE]
        code, message = _said(one, location, model)
        found.setdefault(place, Refused(code, message, place))
    return list(found.values())


def there(location: Location, value: Any) -> Location:
    """Return the part of a location that is in the value: pydantic goes on with its own words for what it tried."""
    for length, part in enumerate(location):
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return location[:length]
    return location


def _said(one: Any, location: Location, model: type[BaseModel]) -> tuple[str, str]:
    """Return the code of what pydantic found wrong, and what is allowed there."""
    kind, context, given = one["type"], one.get("ctx", {}), str(one.get("input", ""))
    if isinstance(refused := context.get("error"), Refused):
        near = did_you_mean(given, available_timezones()) if refused.code == "UNKNOWN_ZONE" else ""
        return refused.code, refused.message + near
    code = shape_code(kind, context)
    if kind == "extra_forbidden":
        known = sorted(fields_at(model, location[:-1]))
        return code, f"there is no such key{did_you_mean(str(location[-1]), known)}; there are {', '.join(known)}"
    if kind in {"enum", "literal_error"}:
        names = _NAMED.findall(str(context["expected"]))
        return code, f"one of {', '.join(names)}{did_you_mean(given, names)}"
    if kind == "string_pattern_mismatch":
        return code, _PATTERNS[context["pattern"]]
    if bounds := [f"{words} {context[name]}" for name, words in _BOUNDS if name in context]:
        return code, f"{bounds[0]}"
    return code, _TYPES.get(kind, SHAPES[code])


_BOUNDS = (("ge", "at least"), ("le", "at most"), ("max_length", "at most"), ("min_length", "not shorter than"))
