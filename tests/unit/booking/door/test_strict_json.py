"""The door: what two readers could read in two ways is refused, each with its own code."""

import pytest

from booking.door.strict_json import BadBody, strict_json


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": [1, 2.5, "x", null, true]}',
        b"[]",
        b'"\\u00e9"',
        '"é"'.encode(),
        b' {"a":1}\n',
        b'\xef\xbb\xbf{"a": 1}',
        b"[18446744073709551615,-9223372036854775808,1e308]",
    ],
)
def test_json_that_means_one_thing_passes(body: bytes) -> None:
    strict_json(body)


BAD = {
    "empty": (b"", "EMPTY_BODY"),
    "blank": (b" \n", "EMPTY_BODY"),
    "not JSON": (b"hello", "NOT_JSON"),
    "truncated object": (b'{"a": ', "TRUNCATED_JSON"),
    "truncated text": (b'{"a": "b', "TRUNCATED_JSON"),
    "two documents": (b'{"a": 1}{"a": 2}', "TRAILING_CONTENT"),
    "duplicate key": (b'{"a": 1, "a": 2}', "DUPLICATE_KEY"),
    "duplicate key inside": (b'{"a": {"b": 1, "\\u0062": 2}}', "DUPLICATE_KEY"),
    "NaN": (b'{"a": NaN}', "NOT_A_NUMBER"),
    "Infinity": (b'{"a": -Infinity}', "NOT_A_NUMBER"),
    "5,000 digits": (b'{"a": ' + b"9" * 5000 + b"}", "NUMBER_TOO_LONG"),
    "5,000 decimals": (b'{"a": 0.' + b"9" * 5000 + b"}", "NUMBER_TOO_LONG"),
    "an integer of 25 digits": (b'{"a": ' + b"9" * 25 + b"}", "NUMBER_TOO_LONG"),
    "an integer one above 64 bits": (b'{"a": 18446744073709551616}', "NUMBER_TOO_LONG"),
    "an integer one below 64 bits": (b'{"a": -9223372036854775809}', "NUMBER_TOO_LONG"),
    "a number that only infinity could stand for": (b'{"a": 1e999}', "NUMBER_TOO_LONG"),
    "10,000 levels": (b"[" * 10_000 + b"]" * 10_000, "TOO_DEEP"),
    "33 levels": (b"[" * 33 + b"]" * 33, "TOO_DEEP"),
    "not UTF-8": (b'{"a": "\xff"}', "NOT_UTF8"),
    "NUL": (b'{"a": "\x00"}', "NUL_CHARACTER"),
    "escaped NUL": (b'{"a": "\\u0000"}', "NUL_CHARACTER"),
    "escaped NUL in a key": (b'{"\\u0000": 1}', "NUL_CHARACTER"),
    "half a surrogate pair": (b'{"a": "\\ud800"}', "LONE_SURROGATE"),
    "raw line break in a text": (b'{"a": "x\ny"}', "NOT_JSON"),
    "nothing but a byte order mark": (b"\xef\xbb\xbf", "EMPTY_BODY"),
    "two byte order marks": (b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}', "NOT_JSON"),
    "a byte order mark inside": (b'{\xef\xbb\xbf"a": 1}', "NOT_JSON"),
    "trailing comma": (b'{"a": 1,}', "NOT_JSON"),
}


@pytest.mark.parametrize("what", BAD)
def test_json_that_does_not_is_refused_with_its_own_code(what: str) -> None:
    body, code = BAD[what]
    with pytest.raises(BadBody) as caught:
        strict_json(body)
    assert (caught.value.code, caught.value.status) == (code, 400)


def test_32_levels_pass() -> None:
    strict_json(b"[" * 32 + b"]" * 32)
