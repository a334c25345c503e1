"""Whether one OpenAPI description may take the place of another while clients made from the other are in use.

A description may only *grow*: new operations, new optional parameters and fields of requests, new fields and new
values of enumerations in answers, new refusals. Whoever sends what was good yesterday is understood today, and whoever
reads answers finds what he found. What else a change needs is a new path beside the old one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

type Part = Mapping[str, Any]

_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def openapi_breaks(old: Part, new: Part) -> list[str]:
    """Return every way in which `new` breaks a client of `old`, as `operation, place: what`; empty if none."""
    return list(dict.fromkeys(_paths(_Pair(old, new))))


@dataclass(frozen=True)
class _Pair:
    """Both descriptions, and the pairs of schemas that are compared already, each for one direction."""

    old: Part
    new: Part
    seen: set[tuple[str, str, bool]] = field(default_factory=set)

    def resolved(self, old: Part, new: Part) -> tuple[Part, Part]:
        return _resolved(old, self.old), _resolved(new, self.new)

    def is_new(self, old: Part, new: Part, *, asked: bool) -> bool:
        names = (str(old.get("$ref", "")), str(new.get("$ref", "")), asked)
        if not all(names[:2]):
            return True
        known = names in self.seen
        self.seen.add(names)
        return not known


def _resolved(part: Part, whole: Part) -> Part:
    while "$ref" in part:
        found: Any = whole
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = {**found, **{key: value for key, value in part.items() if key != "$ref"}}
    return part


def _paths(pair: _Pair) -> Iterator[str]:
    for path, operations in pair.old["paths"].items():
        for method, old in operations.items():
            name = f"{method.upper()} {path}"
            new = pair.new["paths"].get(path, {}).get(method)
            if new is None:
                yield f"{name}: removed"
                continue
            if old.get("operationId") != new.get("operationId"):
                yield f"{name}: operation {old.get('operationId')} is now called {new.get('operationId')}"
            if not old.get("security") and new.get("security"):
                yield f"{name}: asks for a key now"
            yield from _parameters(pair, name, old, new)
            yield from _request(pair, name, old.get("requestBody", {}), new.get("requestBody", {}))
            yield from _answers(pair, name, old["responses"], new["responses"])
    yield from _codes(pair)


def _parameters(pair: _Pair, name: str, old: Part, new: Part) -> Iterator[str]:
    before, now = ({(p["in"], p["name"]): p for p in one.get("parameters", ())} for one in (old, new))
    for key, parameter in before.items():
        place = f"{name}, {key[0]}.{key[1]}"
        if key not in now:
            yield f"{place}: parameter removed"
        else:
            yield from _schema(pair, place, parameter["schema"], now[key]["schema"], asked=True)
    for key, parameter in now.items():
        if parameter.get("required") and not before.get(key, {}).get("required"):
            yield f"{name}, {key[0]}.{key[1]}: newly required"


def _request(pair: _Pair, name: str, old: Part, new: Part) -> Iterator[str]:
    if new.get("required") and not old.get("required"):
        yield f"{name}, body: newly required"
    for media_type, held in old.get("content", {}).items():
        if media_type not in new.get("content", {}):
            yield f"{name}, body: no longer taken as {media_type}"
            continue
        now = new["content"][media_type]
        yield from _schema(pair, f"{name}, body", held.get("schema", {}), now.get("schema", {}), asked=True)


def _answers(pair: _Pair, name: str, old: Part, new: Part) -> Iterator[str]:
    for status, held in old.items():
        if status[0] != "2":
            continue
        if status not in new:
            yield f"{name}: no longer answers {status}"
            continue
        for media_type, content in held.get("content", {}).items():
            now = new[status].get("content", {}).get(media_type)
            if now is None:
                yield f"{name}, answer {status}: no longer {media_type}"
                continue
            yield from _schema(pair, f"{name}, answer", content.get("schema", {}), now.get("schema", {}), asked=False)


def _codes(pair: _Pair) -> Iterator[str]:
    before, now = (one.get("components", {}).get("schemas", {}).get("ProblemCode", {}) for one in (pair.old, pair.new))
    yield from (f"ProblemCode: {code} removed" for code in before.get("enum", ()) if code not in now.get("enum", ()))


def _schema(pair: _Pair, place: str, old: Part, new: Part, *, asked: bool) -> Iterator[str]:
    """Yield what breaks between two schemas.

    Args:
        asked: Of what is sent: the new one must take all that the old one took. Else of what is answered: the new one
            must give nothing that a reader of the old one does not know.
    """
    if not pair.is_new(old, new, asked=asked):
        return
    old, new = pair.resolved(old, new)
    if "anyOf" in old or "anyOf" in new:
        yield from _alternatives(pair, place, old, new, asked=asked)
        return
    if old.get("type") != new.get("type") and (old if not asked else new).get("type"):
        yield f"{place}: type {old.get('type')} became {new.get('type')}"
        return
    yield from _values(place, old, new, asked=asked)
    yield from _fields(pair, place, old, new, asked=asked)
    if "items" in old:
        yield from _schema(pair, f"{place}[]", old["items"], new.get("items", {}), asked=asked)
    more = old.get("additionalProperties")
    if isinstance(more, dict) and isinstance(new.get("additionalProperties"), dict):
        yield from _schema(pair, f"{place}.*", more, new["additionalProperties"], asked=asked)


def _alternatives(pair: _Pair, place: str, old: Part, new: Part, *, asked: bool) -> Iterator[str]:
    before, now = old.get("anyOf", [old]), new.get("anyOf", [new])

    def breaks(one: Part, other: Part) -> list[str]:
        return list(_schema(_Pair(pair.old, pair.new, set(pair.seen)), place, one, other, asked=asked))

    for one in before if asked else now:
        found = [breaks(one, other) if asked else breaks(other, one) for other in (now if asked else before)]
        if all(found):
            same = [broken for broken in found if not any(": type " in line for line in broken)]
            yield from (
                same[0]
                if len(same) == 1
                else [f"{place}: no longer takes {_name(one)}" if asked else f"{place}: may now be {_name(one)}"]
            )


def _name(schema: Part) -> str:
    return str(schema.get("title") or schema.get("format") or schema.get("type") or schema.get("$ref"))


def _values(place: str, old: Part, new: Part, *, asked: bool) -> Iterator[str]:
    before, now = (one.get("enum", [one["const"]] if "const" in one else None) for one in (old, new))
    if asked and now is not None:
        if before is None:
            yield f"{place}: narrowed to an enumeration"
        yield from (f"{place}: value {value!r} no longer taken" for value in before or () if value not in now)
    if not asked and before is not None and now is None:
        yield f"{place}: no longer one of an enumeration"
    if old.get("format") != new.get("format"):
        yield f"{place}: format {old.get('format')} became {new.get('format')}"
    if not asked:
        return
    if new.get("pattern") not in (None, old.get("pattern")):
        yield f"{place}: another pattern"
    for bound in _LOWER_BOUNDS:
        if bound in new and (bound not in old or new[bound] > old[bound]):
            yield f"{place}: {bound} raised to {new[bound]}"
    for bound in _UPPER_BOUNDS:
        if bound in new and (bound not in old or new[bound] < old[bound]):
            yield f"{place}: {bound} lowered to {new[bound]}"


def _fields(pair: _Pair, place: str, old: Part, new: Part, *, asked: bool) -> Iterator[str]:
    held, offered = old.get("properties", {}), new.get("properties", {})
    for name, one in held.items():
        if name not in offered:
            yield f"{place}.{name}: field removed"
        else:
            yield from _schema(pair, f"{place}.{name}", one, offered[name], asked=asked)
    was, now = set(old.get("required", ())), set(new.get("required", ()))
    if asked:
        yield from (f"{place}.{name}: newly required" for name in sorted(now - was))
    else:
        yield from (f"{place}.{name}: no longer always there" for name in sorted((was & set(offered)) - now))
