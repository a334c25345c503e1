"""The page docs/booking/profiles.md, as the model of a source's profile tells it: a table for each part."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from booking.profiles.domain import Profile

HEAD = """# What a source means: its profile

<!-- made by `make pages` from booking's profiles/domain.py: what is to be said otherwise is said there, or in
docs/site/knobs.py -->

No two upstreams mean the same by what they send: one writes times without offset, another calls a cancellation S13, a
third puts the clinic where others put the room. What a source means is its **profile**, one document a source
([0060](../decisions/0060-a-source-has-a-profile.md)). Every knob has a default that takes what senders are known to
send: a source of which nothing is said is read all the same, and a profile says only what is otherwise.

```yaml
# examples/profiles/nhs-like.yaml
source: nhs-like
zone: Europe/London
country: GB
hl7v2:
  patient:
    authorities: [NHS, RNJ]
```

```
attend sources plan nhs-like.yaml      # what would change, key by key, and what that means; nothing is written
attend sources apply nhs-like.yaml     # from now on, in every process within 5 seconds
attend sources show nhs-like           # what holds, as YAML, and who said so when
attend sources schema                  # the JSON Schema, for an editor that checks while one types
```

- A file is YAML 1.2 (`country: NO` is Norway) with `source:` and the keys below. Several files are several sources:
  all are checked before any is applied.
- A mistake is told with file, line, key, the nearest known name and what is allowed there, all of them at once, and
  nothing is written. Exit codes: 0 done, 1 refused or not answered, 2 no such file or no YAML.
- `plan` says key by key what changes and what it means, as `a time without offset … is read in Europe/Paris
  (13:30Z), until now read in Europe/London (14:30Z)`. What was taken before stays as it was read.
- The same again writes nothing. Each version is kept for good: who, when, why (`--reason`).
- The API: `GET` and `PUT /v1/sources/{source}/profile` (`?dry_run=true` plans; `If-Match: "3"` refuses, 412, what was
  decided on another version), `GET …/profile/versions`, `GET /v1/sources/profile-schema`. For the operator, or a client
  of that source that may manage clinics and is limited to none.
- The JSON Schema: [`schemas/profiles/source.profile.v1.json`](../../schemas/profiles/source.profile.v1.json). Three
  examples: [`examples/profiles/`](../../examples/profiles/).

`zone` and `mode` count in every format: our own JSON, FHIR, HL7 v2, files. What an event says itself comes first. On a
topic they count for events that name their source.

A **place** is written `SEG-F.C.S`: segment, field, component, sub-component, each from 1, as `SCH-11.4`. In a list of
places the first that is filled counts. Where a knob is a table, `word: class`, what it does not name is read as
without it.

"""

type Schema = Mapping[str, Any]
type Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def page(table: Table) -> str:
    """Return docs/booking/profiles.md.

    Args:
        table: Writes a table of a head and rows.
    """
    schema = Profile.model_json_schema()
    text = HEAD
    for title, part in parts(schema, schema["$defs"]):
        about = part["description"].split("\n")[0]
        text += (
            f"## {title}\n\n{about}\n\n"
            + table(("key", "default", "allowed", "what it is for"), rows(part, schema["$defs"]))
            + "\n"
        )
    return text.rstrip() + "\n"


def parts(schema: Schema, defs: Mapping[str, Schema], path: str = "") -> Iterator[tuple[str, Schema]]:
    """Yield the heading and schema of each part of a profile, outer ones first."""
    yield f"`{path}`" if path else "The whole", schema
    for name, knob in schema["properties"].items():
        part = _part(knob, defs)
        if part is not None:
            yield from parts(part, defs, f"{path}.{name}" if path else name)


def rows(part: Schema, defs: Mapping[str, Schema]) -> Iterator[Sequence[str]]:
    """Yield a row for each knob of a part; those that are parts themselves have their own table."""
    for name, knob in part["properties"].items():
        inner = _part(knob, defs)
        default = "" if inner is not None else _default(knob)
        allowed = "the keys below" if inner is not None else allowed_in(knob, defs)
        yield f"`{name}`", default, allowed, knob["description"]


def _part(knob: Schema, defs: Mapping[str, Schema]) -> Schema | None:
    """Return the part that a knob is, if it is one."""
    for one in knob.get("anyOf", [knob]):
        found = defs.get(one.get("$ref", "").removeprefix("#/$defs/"), {})
        if "properties" in found:
            return found
    return None


def _default(knob: Schema) -> str:
    default = knob.get("default")
    if default is None or default in ([], {}):
        return "none"
    if isinstance(default, list):
        return ", ".join(f"`{one}`" if one else '`""`' for one in default)
    return f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"


def allowed_in(knob: Schema, defs: Mapping[str, Schema]) -> str:
    """Return what a knob takes, in words."""
    if ref := knob.get("$ref"):
        return allowed_in(defs[ref.removeprefix("#/$defs/")], defs)
    if some := knob.get("anyOf"):
        return " or ".join(dict.fromkeys(allowed_in(one, defs) for one in some if one.get("type") != "null"))
    if values := knob.get("enum"):
        return ", ".join(f"`{value}`" for value in values)
    match knob.get("type"):
        case "boolean":
            return "`true`, `false`"
        case "integer":
            return f"{knob['minimum']} to {knob['maximum']:,}"
        case "array":
            return f"list: {allowed_in(knob['items'], defs)}"
        case "object":
            return _table(knob, defs)
    return "a place" if "pattern" in knob and knob["pattern"].startswith("^[A-Z][A-Z0-9]{2}-") else "text"


def _table(knob: Schema, defs: Mapping[str, Schema]) -> str:
    """Return what the keys and values of a table are."""
    by_pattern = knob.get("patternProperties", {})
    value = next(iter(by_pattern.values()), None) or knob.get("additionalProperties", {})
    names = knob.get("propertyNames", {})
    key = "trigger" if by_pattern else allowed_in(names, defs) if names else "text"
    return f"table: {key} → {allowed_in(value, defs)}"
