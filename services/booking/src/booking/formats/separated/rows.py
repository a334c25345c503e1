"""From bytes to rows of texts: encoding, delimiter and quotes."""

import csv
import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from io import StringIO

from booking.profiles.csv_knobs import CsvProfile
from booking.values.refusals import Refused

DELIMITERS = (",", ";", "\t", "|")
LONGEST_FIELD = 32_768
"""Characters of one value; whatever is longer is a quote that nobody closed."""

_NAMES_DELIMITER = re.compile(r"\ufeff?\"?sep=([^\w\"])\"?[\r\n]*", re.IGNORECASE)

csv.field_size_limit(LONGEST_FIELD)


def decoded(body: bytes, encoding: str) -> str:
    """Return the text of a file or a part of one.

    Args:
        encoding: `auto`: what its first bytes say, else utf-8, and windows-1252 for a line that is none.

    Raises:
        Refused: BAD_CHARSET: it is not of the encoding that was said.
    """
    if encoding != "auto":
        try:
            return body.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            raise Refused(
                "BAD_CHARSET", "not in the encoding that the source's profile names", "csv.encoding"
            ) from None
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return body.decode("utf-16", "replace")
    body = body.removeprefix(BOM_UTF8)
    try:
        return body.decode()
    except UnicodeDecodeError:
        return "\n".join(map(_line, body.split(b"\n")))


def _line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("windows-1252", "replace")


def delimiter_of(first_line: str, knobs: CsvProfile) -> str:
    """Return the character between values: of those that may be it, the commonest in the first line."""
    if knobs.delimiter != "auto":
        return knobs.delimiter
    return max(DELIMITERS, key=first_line.count)


def said_by(first_line: str) -> str | None:
    """Return the delimiter that a spreadsheet names in a line before all others, `sep=;`; None: it is no such line."""
    found = _NAMES_DELIMITER.fullmatch(first_line)
    return None if found is None else found[1]


def rows_of(body: bytes, knobs: CsvProfile) -> Sequence[Sequence[str]]:
    """Return the rows in `body`, the first line's too; empty lines are none."""
    text = decoded(body, knobs.encoding)
    lines = text.lstrip("\r\n").splitlines()
    if not lines:
        raise Refused("EMPTY_BODY", "the body is empty")
    said = said_by(lines[0])
    delimiter = said if said is not None and knobs.delimiter == "auto" else delimiter_of(lines[0], knobs)
    try:
        found = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
        rows = [row for row in found if row][said is not None :]
    except csv.Error:
        raise Refused("BAD_CSV", f"a value of more than {LONGEST_FIELD} characters: is a quote open?") from None
    if not rows:
        raise Refused("EMPTY_BODY", "the body is empty")
    return rows
