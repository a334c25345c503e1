"""Whether one JSON Schema may take the place of another while both are in use.

Topics keep years of events, and services are deployed one by one: a reader of tomorrow meets events of
today and a reader of today meets events of tomorrow. So a contract may only *grow*: new optional fields,
new values of an enumeration (readers are deployed before writers), wider bounds. Anything else is a new
major version, `noun.verb.v2`, beside the old one.
"""

from collections.abc import Iterator
from typing import Any

type Schema = dict[str, Any]

_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_FIXED = ("pattern", "format", "additionalProperties")


def breaks(old: Schema, new: Schema) -> list[str]:
    """Return every way in which `new` breaks readers or events of `old`, as `place: what`; empty if none."""
    return list(_breaks("", old, new, old.get("$defs", {}), new.get("$defs", {})))


def _breaks(place: str, old: Schema, new: Schema, old_defs: Schema, new_defs: Schema) -> Iterator[str]:
    old, new = _resolved(old, old_defs), _resolved(new, new_defs)
    if "anyOf" in old or "anyOf" in new:
        yield from _alternatives(place, old, new, old_defs, new_defs)
        return
    if old.get("type") != new.get("type"):
        yield f"{place or 'body'}: type {old.get('type')} became {new.get('type')}"
        return
    yield from _values(place, old, new)
    yield from _bounds(place, old, new)
    yield from _fields(place, old, new, old_defs, new_defs)
    if "items" in old:
        yield from _breaks(f"{place}[]", old["items"], new.get("items", {}), old_defs, new_defs)


def _resolved(schema: Schema, defs: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    return {
        **_resolved(defs[schema["$ref"].rpartition("/")[2]], defs),
        **{k: v for k, v in schema.items() if k != "$ref"},
    }


def _alternatives(place: str, old: Schema, new: Schema, old_defs: Schema, new_defs: Schema) -> Iterator[str]:
    held, offered = old.get("anyOf", [old]), new.get("anyOf", [new])
    for one in held:
        if all(list(_breaks(place, one, other, old_defs, new_defs)) for other in offered):
            yield f"{place}: no longer takes {_name(one, old_defs)}"
    for other in offered:
        if all(list(_breaks(place, one, other, old_defs, new_defs)) for one in held):
            yield f"{place}: may now be {_name(other, new_defs)}, which readers of today refuse"


def _name(schema: Schema, defs: Schema) -> str:
    resolved = _resolved(schema, defs)
    return str(resolved.get("format") or resolved.get("title") or resolved.get("type"))


def _values(place: str, old: Schema, new: Schema) -> Iterator[str]:
    allowed = new.get("enum", [new["const"]] if "const" in new else None)
    before = old.get("enum", [old["const"]] if "const" in old else None)
    if before is None and allowed is not None:
        yield f"{place}: narrowed to an enumeration"
    if before is not None and allowed is not None:
        yield from (f"{place}: value {value!r} removed" for value in before if value not in allowed)


def _bounds(place: str, old: Schema, new: Schema) -> Iterator[str]:
    for bound in _LOWER_BOUNDS:
        if bound in new and (bound not in old or new[bound] > old[bound]):
            yield f"{place}: {bound} raised to {new[bound]}"
    for bound in _UPPER_BOUNDS:
        if bound in new and (bound not in old or new[bound] < old[bound]):
            yield f"{place}: {bound} lowered to {new[bound]}"
    for word in _FIXED:
        if old.get(word) != new.get(word) and not isinstance(old.get(word), dict):
            yield f"{place or 'body'}: {word} changed from {old.get(word)} to {new.get(word)}"


def _fields(place: str, old: Schema, new: Schema, old_defs: Schema, new_defs: Schema) -> Iterator[str]:
    held, offered = old.get("properties", {}), new.get("properties", {})
    for name, field in held.items():
        inner = f"{place}.{name}".lstrip(".")
        if name not in offered:
            yield f"{inner}: field removed"
        else:
            yield from _breaks(inner, field, offered[name], old_defs, new_defs)
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    yield from (f"{place}.{name}: newly required".lstrip(".") for name in sorted(now - was))
    yield from (f"{place}.{name}: no longer always there".lstrip(".") for name in sorted((was & set(offered)) - now))
