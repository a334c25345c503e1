"""From the lines of a file to its records: a row, a line of JSON, a message, an event of a calendar."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from booking.files.physical import Line
from booking.formats.hl7v2 import batches
from booking.formats.separated.rows import said_by
from booking.values.refusals import Refused
from booking.values.warned import Warned

LONGEST_ROW = 32_768
"""Bytes of a row of several lines: beyond it a quote was never closed."""

_TOO_LONG = Refused("BODY_TOO_LARGE", "a line of more than a megabyte")
_OPEN = Refused("BAD_CSV", "a quote is opened in this line and never closed: the line was passed over")


class Record(NamedTuple):
    """What is one event, or is to be one.

    Attributes:
        line: Where it begins in the file, from 1.
        body: Its bytes.
        head: What stands before the first record of each body: a row of names, the beginning of a calendar.
        refusal: Why it is not even sent.
    """

    line: int
    body: bytes
    head: bytes = b""
    refusal: Refused | None = None


def lines_of_json(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield each line that holds anything."""
    for line in lines:
        if line.text is None:
            yield Record(line.number, b"", refusal=_TOO_LONG)
        elif line.text.strip():
            yield Record(line.number, line.text.strip() + b"\n")


def rows(lines: Iterable[Line], delimiter: bytes, *, has_header: bool) -> Iterator[Record]:
    """Yield each row; one with a quote that is never closed is refused, and the line after it is another row.

    Args:
        has_header: The first row names the columns, and stands before the rows of each body.
    """
    head = b""
    for record in _rows(lines, delimiter):
        if not head and said_by(record.body.decode("latin-1")) is not None:
            continue
        if has_header and not head and record.refusal is None:
            head = record.body
        else:
            yield record._replace(head=head)


def _rows(lines: Iterable[Line], delimiter: bytes) -> Iterator[Record]:
    left, again = iter(lines), deque[Line]()
    open_lines = list[Line]()
    while (line := again.popleft() if again else next(left, None)) is not None or open_lines:
        if line is not None and line.text is not None:
            open_lines.append(line)
            row = b"".join(one.text or b"" for one in open_lines)
            if not is_open(row, delimiter):
                if row.strip():
                    yield Record(open_lines[0].number, row.rstrip(b"\r\n") + b"\n")
                open_lines = []
                continue
            if len(row) <= LONGEST_ROW:
                continue
        if open_lines:
            first, *rest = open_lines
            yield Record(first.number, b"", refusal=_OPEN)
            again.extendleft(reversed(rest))
            open_lines = []
        if line is not None and line.text is None:
            yield Record(line.number, b"", refusal=_TOO_LONG)


def is_open(row: bytes, delimiter: bytes) -> bool:
    """Say whether a value of the row is in quotes that are not closed. Only at a value's beginning they are quotes."""
    at = 0
    while b'"' in row[at:]:
        if row[at : at + 1] == b'"':
            end = _closed_at(row, at + 1)
            if end is None:
                return True
            at = end
        at = row.find(delimiter, at) + 1
        if not at:
            return False
    return False


def _closed_at(row: bytes, at: int) -> int | None:
    """Return where a value in quotes ends, whose text begins at `at`; two quotes are one of its text."""
    while (end := row.find(b'"', at)) >= 0:
        if row[end + 1 : end + 2] != b'"':
            return end + 1
        at = end + 2
    return None


_BEGINS = re.compile(rb"[\x0b\x1c\0]*(?:\xef\xbb\xbf)?[ \t]*(MSH|FHS|BHS|BTS|FTS)(?=[^A-Za-z0-9]|\Z)")


def messages(lines: Iterable[Line], warnings: list[Warned]) -> Iterator[Record]:
    """Yield each message of HL7 v2 without its envelope.

    Args:
        warnings: Takes what is said of envelopes, as their ends are met.
    """
    begun = deque[int]()
    pieces = (_noted(piece, begun) for piece in _begun_by(lines))
    for body in batches.messages(pieces, warnings):
        yield Record(begun.popleft(), body + b"\r")


def _begun_by(lines: Iterable[Line]) -> Iterator[tuple[int, bytes]]:
    """Yield the number of the first line of each message or part of an envelope, and all its lines."""
    number, texts = 0, list[bytes]()
    for line in lines:
        text = line.text or b""
        if _BEGINS.match(text) and texts:
            yield number, b"".join(texts)
            texts = []
        if texts or text.strip(b"\r\n\t \x0b\x1c\0"):
            number = number if texts else line.number
            texts.append(text)
    if texts:
        yield number, b"".join(texts)


def _noted(piece: tuple[int, bytes], begun: deque[int]) -> bytes:
    number, text = piece
    found = _BEGINS.match(text)
    if found is None or found[1] == b"MSH":
        begun.append(number)
    return text


_COMPONENT = re.compile(rb"(?i)(BEGIN|END):([A-Z0-9-]+)[ \t]*\r?\n?\Z")
END_OF_CALENDAR = b"END:VCALENDAR\r\n"


def events(lines: Iterable[Line]) -> Iterator[Record]:
    """Yield each VEVENT, with the beginning of its calendar; what else is in a calendar is passed over."""
    head, inside, texts, number = b"", list[bytes](), list[bytes](), 0
    for line in lines:
        text = line.text or b""
        found = _COMPONENT.match(text.removeprefix(b"\xef\xbb\xbf"))
        begins, name = (found[1].upper() == b"BEGIN", found[2].upper()) if found else (False, b"")
        if begins:
            inside.append(name)
            if inside == [b"VCALENDAR"]:
                head = b""
        component = inside[1] if len(inside) > 1 else b""
        if component == b"VEVENT":
            number = number if texts else line.number
            texts.append(text.rstrip(b"\r\n") + b"\r\n")
        elif inside and (not component or component == b"VTIMEZONE") and name + text[:3].upper() != b"VCALENDAREND":
            head += text.rstrip(b"\r\n") + b"\r\n"
        if found and not begins and name in inside:
            del inside[inside.index(name) :]
            if texts and len(inside) < 2:
                yield Record(number, b"".join(texts), head)
                texts = []
