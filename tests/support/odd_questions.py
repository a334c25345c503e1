"""Asks an API everything that its OpenAPI lists with values that nobody should send: it may refuse, never break.

Every parameter and every field of a body is given each odd value, one at a time, in a request that is otherwise good.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2

METHODS = ("get", "put", "post", "delete", "patch")
SOME_ID = str(UUID(int=0x0189_0000_0000_7000_8000_0000_0000_0001))


def _cursor(at: str) -> str:
    """Return a place in a list, written as ours are."""
    return urlsafe_b64encode(f"{at}|{SOME_ID}".encode()).decode().rstrip("=")


TEXTS = (
    "", " ", "\0", "a\0b", "\x1b[31mred", "\u202egnirts", "a\r\nb", "\U0010ffff", "\u0661\u0662", "a" * 5_000, "'",
    '"; --', "%", "%00", "NULL", "{}", "[]", "null", "true", "-1", "0", str(2**31), str(2**63), str(-(2**63) - 1),
    str(10**23),
    "1e400", "NaN", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "2027-02-30",
    "2027-03-01T09:00:00", SOME_ID, SOME_ID.upper(), f"{{{SOME_ID}}}", f"0001-01-01T00:00:00+14:00/{SOME_ID}",
    _cursor("0001-01-01T00:00:00+14:00"), _cursor("9999-12-31T23:59:59-14:00"), _cursor(""), "NORTH", "Europe",
    "A/../B",
)  # fmt: skip
"""For parameters, and for fields of bodies."""
VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    2**31,
    2**63,
    10**23,
    1.5,
    1e308,
    [],
    [None],
    {},
    {"a": 1},
    [[[[]]]],
    *TEXTS,
)
"""For fields of bodies."""
FEW: tuple[object, ...] = (
    None, True, -1, 2**63, [], [None], {"a": 1}, "", "a\0b", "\u202egnirts", "a" * 5_000,
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00",
)  # fmt: skip
"""For fields deep inside of bodies, of which there are many."""
DEEP = 2
"""Levels of a body below which a field is deep inside."""


@dataclass(frozen=True)
class Question:
    """One request, in words that a failing test can print."""

    method: str
    path: str
    place: str
    value: object = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


def questions(api: Mapping[str, Any]) -> Iterator[Question]:
    """Give every odd request to every route of an OpenAPI description."""
    for path, operations in api["paths"].items():
        for method in METHODS:
            if method in operations:
                yield from _of_one(api, path, method, operations[method])


def _of_one(api: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> Iterator[Question]:
    parameters = operation.get("parameters", [])
    good = {one["name"]: _text(_sample(api, one["schema"])) for one in parameters if one.get("required")}
    bodies = _bodies(api, operation)
    body = bodies[0] if bodies else None
    for one in [None, *parameters]:
        for value in TEXTS if one else [""]:
            given = {**good, **({one["name"]: value} if one else {})}
            if one and one["in"] == "header" and not (value.isascii() and value.strip() == value):
                continue  # no client would send it
            yield _asked(method, path, parameters, given, one["name"] if one else "nothing", value, body)
    for odd in (odd for sample in bodies for odd in _odd_bodies(sample)):
        yield _asked(method, path, parameters, good, "body", odd, odd)


def _asked(
    method: str, path: str, parameters: list[Any], given: Mapping[str, Any], place: str, value: object, body: object
) -> Question:
    where = {one["name"]: one["in"] for one in parameters}
    for name in (name for name, kind in where.items() if kind == "path"):
        path = path.replace(f"{{{name}}}", quote(given[name], safe="") or "%20")
    query = {name: text for name, text in given.items() if where[name] == "query"}
    headers = {name: text for name, text in given.items() if where[name] == "header" and text.isprintable()}
    sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return Question(method.upper(), path, place, value, query, headers, sent)


def _odd_bodies(body: object) -> Iterator[object]:
    """Give bodies that are none at all, and a body with one odd value at each of its places."""
    yield from (b"", b"{", b"\xff", b"\0", b'{"a": NaN}', b"[" * 900 + b"]" * 900, b'{"by": "\\ud800"}', b"1" * 4_000)
    yield from (
        _with(body, place, value) for place in _places(body) for value in (FEW if len(place) > DEEP else VALUES)
    )


def _places(value: object, before: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield before
    inside: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, held in inside:
        yield from _places(held, (*before, key))


def _with(body: object, place: tuple[str | int, ...], value: object) -> object:
    if not place:
        return value
    whole: Any = deepcopy(body)
    inner = whole
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return whole


def _bodies(api: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Any]:
    """Return good bodies: the documented examples, or else one of the schema."""
    if "requestBody" not in operation:
        return []
    content = next(iter(operation["requestBody"]["content"].values()))
    shown = [one["value"] for one in content.get("examples", {}).values()]
    return shown or [_sample(api, content.get("schema", {}))]


def _sample(api: Mapping[str, Any], schema: Mapping[str, Any]) -> Any:
    """Return a good value of a schema."""
    if "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "example" in schema:
        return schema["example"]
    if schema.get("examples"):
        return schema["examples"][0]
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return _sample(api, schema[choice][0])
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            return {name: _sample(api, one) for name, one in schema.get("properties", {}).items()}
        case "array":
            return [_sample(api, schema.get("items", {}))]
        case "integer" | "number":
            return 1
        case "boolean":
            return True
    return {"uuid": SOME_ID, "date-time": "2027-03-01T09:00:00Z", "date": "2027-03-01"}.get(
        schema.get("format", ""), "NORTH"
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


async def broken_by(
    http: httpx2.AsyncClient,
    base_url: str,
    api: Mapping[str, Any],
    *,
    headers: Mapping[str, str] | None = None,
    once: Sequence[str] = (),
) -> list[str]:
    """Ask everything; return what was answered with a 5xx, or not at all, in words.

    Args:
        http: Who asks.
        base_url: Whom.
        api: What may be asked: an OpenAPI description.
        headers: To be sent with each question.
        once: Texts in the examples that each question is to have of its own, such as the id of an event: a second
            event of the same id would be answered without a look at the rest of it.
    """
    broken = []
    for serial, one in enumerate(questions(api)):
        sent = {"Content-Type": "application/json", **(headers or {}), **one.headers}
        body = one.body
        for text in once if body else ():
            body = body and body.replace(f'"{text}"'.encode(), f'"{text}-{serial}"'.encode())
        asked = f"{one.method} {one.path} {dict(one.query)} {one.place}={one.value!r:.200}"
        try:
            async with http.stream(
                one.method, f"{base_url}{one.path}", params=one.query, headers=sent, content=body
            ) as answer:
                if answer.status_code >= 500:
                    broken.append(f"{answer.status_code} {asked}")
        except Exception as error:  # noqa: BLE001 - a client in the loop of the API is given what a route raises
            broken.append(f"{type(error).__name__} {asked}")
    return broken
