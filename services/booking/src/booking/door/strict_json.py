"""The door: from bytes to JSON that means one thing only.

What two readers could read in two ways is refused, each with its own code and the place, and nothing of
the body is ever repeated in an answer or a log (G9).
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Callable
from hashlib import sha256
from math import isinf
from typing import Any

import orjson

from booking.values.refusals import TOO_LARGE, Refused

DEEPEST = 32
"""Levels of objects and arrays; FHIR messages have about twelve."""

LONGEST_NUMBER = 30
"""Digits; the longest number that means something here has ten."""

INTEGERS = range(-(2**63), 2**64)
"""What every reader keeps whole: signed or unsigned 64 bits. `canonical_hash` can write no others."""


UNREADABLE = "\x01"
"""What stands in an event for an escape that is no character: texts and ids with it are judged one by one."""

_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")


class BadBody(Refused):
    """A body that is no JSON, or not one JSON text that means one thing."""

    @property
    def status(self) -> int:
        """The HTTP status of this refusal."""
        return 413 if self.code in TOO_LARGE else 400


def strict_json(body: bytes) -> Any:
    """Return the one JSON value in `body`; a byte order mark before it is no part of it (RFC 8259, section 8.1).

    Raises:
        BadBody: EMPTY_BODY, NOT_UTF8, NUL_CHARACTER, NOT_JSON, TRUNCATED_JSON, TRAILING_CONTENT,
            DUPLICATE_KEY, NOT_A_NUMBER, NUMBER_TOO_LONG, TOO_DEEP, LONE_SURROGATE; the place is a byte
            or character position.
    """
    value = _decoded(body)
    if _may_hold_more(body):
        _walk(value, _check_text)
    return value


def event_json(body: bytes) -> Any:
    """Return the JSON value of events as `strict_json` does, but let no text refuse another's event.

    An escaped NUL and half of a surrogate pair, as a text that is cut within an emoji has it, are read as UNREADABLE:
    the detail that holds it is dropped, the id refused, as with any control character.

    Raises:
        BadBody: As `strict_json`, but for LONE_SURROGATE and an escaped NUL.
    """
    value = _decoded(body)
    if not _may_hold_more(body):
        return value
    _walk(value, lambda text: None)
    return _readable(value) if b"\\u" in body else value


def loose_json(body: bytes) -> Any:
    """Return the value of a body that is refused, read as most readers would: to say which event it was, no more.

    None is returned where even that cannot be read.
    """
    try:
        return json.loads(body.removeprefix(BOM_UTF8), parse_int=str)
    except (ValueError, RecursionError):
        return None


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return _NO_CHARACTER.sub(UNREADABLE, value)
    if isinstance(value, dict):
        return {_readable(name): _readable(one) for name, one in value.items()}
    return [_readable(one) for one in value] if isinstance(value, list) else value


def _may_hold_more(body: bytes) -> bool:
    """Say whether the value may be too deep or hold what is no character: most bodies show at once that they do not."""
    return body.count(b"{") + body.count(b"[") > DEEPEST or b"\\u" in body


def _decoded(body: bytes) -> Any:
    body = body.removeprefix(BOM_UTF8)
    if not body.strip():
        raise BadBody("EMPTY_BODY", "the body is empty")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(error) from None
    if "\x00" in text:
        raise BadBody("NUL_CHARACTER", "the body holds a NUL", f"character {text.index(chr(0))}")
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise BadBody("TOO_DEEP", f"at most {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise _not_json(error, text) from None


def not_utf8(error: UnicodeDecodeError) -> BadBody:
    """Return the refusal of a body that is no text."""
    return BadBody("NOT_UTF8", "the body is not UTF-8", f"byte {error.start}")


def _not_json(error: json.JSONDecodeError, text: str) -> BadBody:
    place = f"line {error.lineno} column {error.colno}"
    if error.msg == "Extra data":
        return BadBody("TRAILING_CONTENT", "something follows the JSON value; send one a request", place)
    cut = error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")
    if cut:
        return BadBody("TRUNCATED_JSON", "the JSON ends too soon", place)
    return BadBody("NOT_JSON", "not JSON", place)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadBody("DUPLICATE_KEY", "an object names a field twice")
    return found


def _constant(_name: str) -> Any:
    raise BadBody("NOT_A_NUMBER", "NaN and Infinity are no JSON")


def _integer(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise BadBody("NUMBER_TOO_LONG", f"at most {LONGEST_NUMBER} digits")
    number = int(digits)
    if number not in INTEGERS:
        raise BadBody("NUMBER_TOO_LONG", "an integer of more than 64 bits")
    return number


def _decimal(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER:
        raise BadBody("NUMBER_TOO_LONG", f"at most {LONGEST_NUMBER} digits")
    number = float(digits)
    if isinf(number):
        raise BadBody("NUMBER_TOO_LONG", "a number beyond what 64 bits can tell")
    return number


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_constant=_constant, parse_int=_integer, parse_float=_decimal
)


def _walk(value: Any, check: Callable[[str], None]) -> None:
    """Check depth and texts, level by level."""
    level, depth = [value], 0
    while level:
        depth += any(isinstance(v, dict | list) for v in level)
        if depth > DEEPEST:
            raise BadBody("TOO_DEEP", f"at most {DEEPEST} levels")
        below: list[Any] = []
        for found in level:
            if isinstance(found, dict):
                below += found.keys()
                below += found.values()
            elif isinstance(found, list):
                below += found
            elif isinstance(found, str):
                check(found)
        level = below


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise BadBody("NUL_CHARACTER", "a text holds an escaped NUL")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadBody("LONE_SURROGATE", "a text holds half of a surrogate pair") from None


def canonical_hash(value: Any) -> bytes:
    """Return the SHA-256 of a JSON value, whatever the order of its keys and its blanks."""
    return sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).digest()
