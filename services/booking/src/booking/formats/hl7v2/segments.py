"""A message of HL7 v2 as it is written: segments, fields, repetitions, components. It knows no event and no profile.

Read leniently, by the names of segments and not by their order; what is absent or truncated is not there. Fields are
split when they are asked for: of some hundred fields of a message about twenty are.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from booking.formats.hl7v2 import charsets
from booking.formats.hl7v2.escapes import Encoding, plain
from booking.values.refusals import Refused
from booking.values.unset import UNSET, Maybe
from booking.values.warned import Warned

NULL = '""'
"""What a sender writes where something is to be taken away."""

HEADERS = frozenset({"MSH", "FHS", "BHS"})
"""Segments whose first field is the separator itself."""

_NAME = "[A-Z][A-Z0-9]{2}"
_ANY_NAME = "(?:[A-Z][A-Z0-9]{2}|[a-z][a-z0-9]{2})"
_PATH = re.compile(rf"({_NAME})-([1-9]\d{{0,2}})(?:\.([1-9]\d?)(?:\.([1-9]\d?))?)?")


class Path(NamedTuple):
    """Where a value stands: `SCH-11.4` is the fourth component of SCH's eleventh field. All count from 1."""

    segment: str
    field: int
    component: int = 1
    sub: int = 1


@lru_cache(4096)
def path_of(written: str) -> Path:
    """Return the path that is written so.

    Raises:
        ValueError: It is none.
    """
    found = _PATH.fullmatch(written)
    if found is None:
        raise ValueError("not a path such as SCH-11.4")
    return Path(found[1], *(int(one) for one in found.groups()[1:] if one is not None))


class Segment:
    """One segment. Fields, components and sub-components count from 1, repetitions from 0; MSH-1 is the separator."""

    __slots__ = ("_cells", "_fields", "_line", "encoding", "name")

    def __init__(self, line: str, encoding: Encoding) -> None:
        self.name = line[:3].upper()
        self._line = line
        self.encoding = encoding
        self._fields: list[str] | None = None
        self._cells: dict[int, list[list[str]]] = {}  # field → repetitions → components, of those that were asked for

    def text(self, field: int, component: int = 1, sub: int = 1, repetition: int = 0) -> str:
        """Return what is written there, unescaped and stripped; empty if nothing, or `""`, is."""
        written = self._piece(field, component, sub, repetition)
        return "" if not written or written == NULL else plain(written, self.encoding).strip()

    def said(self, field: int, component: int = 1, repetition: int = 0, sub: int = 1) -> Maybe[str | None]:
        """Return what is said there: UNSET if nothing is, None if `""` takes it, or all that it is part of, away."""
        written = self._piece(field, component, sub, repetition)
        if not written:
            return UNSET
        if written == NULL:
            return None
        return plain(written, self.encoding).strip() or UNSET

    def repetitions(self, field: int) -> int:
        """Return how often a field is repeated; 0 if it is absent or empty."""
        written = self._field(field)
        mark = self.encoding.repetition
        if not written.strip() or not mark or self._is_verbatim(field):
            return int(bool(written.strip()))
        return written.count(mark) + 1

    def components(self, field: int, repetition: int = 0) -> list[str]:
        """Return the texts of all components of one repetition."""
        written, mark = self._field(field), self.encoding.component
        if not written or not mark or self._is_verbatim(field):
            return [found] if (found := self.text(field, 1, 1, repetition)) else []
        count = _part(written, self.encoding.repetition, repetition).count(mark) + 1
        return [self.text(field, number, 1, repetition) for number in range(1, count + 1)]

    def row(self, field: int, repetition: int = 0) -> list[str]:
        """Return what is written in all components of one repetition, unescaped and stripped; `""` as it is."""
        cells = self._cells_of(field)
        if repetition >= len(cells):
            return []
        encoding, sub = self.encoding, self.encoding.sub
        firsts = [_part(one, sub, 0).strip() if sub and sub in one else one for one in cells[repetition]]
        return [plain(one, encoding).strip() if encoding.escape in one else one for one in firsts]

    def written(self, field: int) -> str:
        """Return a whole field as it stands between its separators."""
        return self._field(field)

    def _piece(self, field: int, component: int, sub: int, repetition: int) -> str:
        cells = self._cells.get(field)
        if cells is None:
            cells = self._cells_of(field)
        if repetition >= len(cells):
            return ""
        components = cells[repetition]
        if component > len(components):
            return NULL if components == [NULL] else ""
        written = components[component - 1]
        mark = self.encoding.sub
        if mark in written and not self._is_verbatim(field):
            return _part(written, mark, sub - 1).strip()
        return written if sub == 1 or written == NULL else ""

    def _cells_of(self, field: int) -> list[list[str]]:
        found = self._cells.get(field)
        if found is None:
            found = self._cells[field] = self._split(field)
        return found

    def _split(self, field: int) -> list[list[str]]:
        written, encoding = self._field(field), self.encoding
        if not written or self._is_verbatim(field):
            return [[written]] if written else []
        mark = encoding.repetition
        repeated = written.split(mark) if mark and mark in written else [written]
        return [_stripped(one.strip(), encoding.component) for one in repeated]

    def _field(self, number: int) -> str:
        fields = self._fields
        if fields is None:
            fields = self._line.split(self.encoding.field)
            if self.name in HEADERS:
                fields.insert(1, self.encoding.field)
            self._fields = fields
        return fields[number] if 0 < number < len(fields) else ""

    def _is_verbatim(self, field: int) -> bool:
        return field <= 2 and self.name in HEADERS


def _stripped(written: str, mark: str) -> list[str]:
    """Return the parts of a text, each without blanks around it."""
    return [part.strip() for part in written.split(mark)] if mark and mark in written else [written]


def _part(written: str, mark: str, number: int) -> str:
    if not mark or mark not in written:
        return "" if number else written
    parts = written.split(mark)
    return parts[number] if 0 <= number < len(parts) else ""


class Message:
    """One message.

    Attributes:
        raw: As it came, without its frame.
        kind: MSH-9.1, such as SIU.
        trigger: MSH-9.2, else EVN-1, such as S12; may be empty.
        control_id: MSH-10.
        application: MSH-3.1, may be empty; so may all that follow.
        facility: MSH-4.1.
        version: MSH-12.1.
        processing: MSH-11.1.
    """

    __slots__ = (
        "_by_name", "application", "control_id", "encoding", "facility", "kind", "processing", "raw", "segments",
        "trigger", "version", "warnings",
    )  # fmt: skip

    def __init__(self, segments: Sequence[Segment], encoding: Encoding, raw: bytes, warnings: Sequence[Warned]) -> None:
        self.segments, self.encoding, self.raw, self.warnings = segments, encoding, raw, warnings
        self._by_name: dict[str, list[Segment]] = {}
        for segment in segments:
            self._by_name.setdefault(segment.name, []).append(segment)
        header, event = segments[0], self.first("EVN")
        self.application, self.facility = header.text(3), header.text(4)
        self.kind = header.text(9).upper()
        self.trigger = (header.text(9, 2) or (event.text(1) if event else "")).upper()
        self.control_id = header.text(10)
        self.processing, self.version = header.text(11), header.text(12)

    def all(self, name: str) -> Sequence[Segment]:
        """Return the segments of this name, in order."""
        return self._by_name.get(name, ())

    def first(self, name: str) -> Segment | None:
        """Return the first segment of this name."""
        found = self._by_name.get(name)
        return found[0] if found else None

    def at(self, path: str) -> Maybe[str | None]:
        """Return what the first segment of that name says at a path such as `SCH-11.4` (`Segment.said`)."""
        where = path_of(path)
        segment = self.first(where.segment)
        return UNSET if segment is None else segment.said(where.field, where.component, 0, where.sub)


def read(body: bytes, charset: str | None = None) -> Message:
    """Return the one message in `body`.

    Args:
        charset: What its source's profile says, if anything: it is believed before MSH-18.

    Raises:
        Refused: NOT_HL7, BAD_SEPARATORS, NO_MESSAGE_TYPE, NO_CONTROL_ID, SEVERAL_MESSAGES, BAD_CHARSET.
    """
    raw = charsets.bare(body)
    if not raw.startswith(b"MSH"):
        raise Refused("NOT_HL7", "a message of HL7 v2 begins with MSH", "MSH")
    text, codec, warnings = charsets.text_of(raw, charset)
    encoding = _encoding(text, codec)
    segments = [Segment(line, encoding) for line in _lines(text, encoding.field)]
    message = Message(segments, encoding, raw, warnings)
    if len(message.all("MSH")) > 1:
        raise Refused("SEVERAL_MESSAGES", "several messages; send each for itself", "MSH")
    if not message.kind:
        raise Refused("NO_MESSAGE_TYPE", "say what kind of message it is, such as SIU^S12", "MSH-9")
    if not message.control_id:
        raise Refused("NO_CONTROL_ID", "give each message an id of its own", "MSH-10")
    return message


def header_of(body: bytes) -> Segment:
    """Return the header of a body that may be no message, for an answer to its sender; at worst an empty one."""
    line = re.split(rb"[\r\n]", charsets.bare(body), maxsplit=1)[0]
    try:
        text, codec, _ = charsets.text_of(line, None)
        return Segment(text, _encoding(text, codec)) if text.startswith("MSH") else _NO_HEADER
    except Refused:
        return _NO_HEADER


_NO_HEADER = Segment(r"MSH|^~\&", Encoding("|", *r"^~\&"))


def _encoding(text: str, codec: str) -> Encoding:
    field = text[3:4]
    if not _is_mark(field):
        raise Refused("BAD_SEPARATORS", "a sign such as | follows MSH", "MSH-1")
    marks = re.split(f"[{re.escape(field)}\r\n]", text[4:16], maxsplit=1)[0].strip()
    if not marks or len(marks) > 5 or len({field, *marks}) <= len(marks) or not all(map(_is_mark, marks)):
        raise Refused("BAD_SEPARATORS", r"four signs such as ^~\&, none of them twice", "MSH-2")
    return Encoding(field, *marks)._replace(codec=codec)


def _is_mark(sign: str) -> bool:
    return "!" <= sign <= "~" and not sign.isalnum() and sign != '"'


def _lines(text: str, field: str) -> Iterator[str]:
    """Yield the text of each segment: a line that does not begin with a name goes on with the one before.

    Where CR ends segments, as it should, LF is text; else whichever ends a line does.
    """
    begins, ended_by_cr = _beginnings(field)
    found: list[str] = []
    for line in text.split("\r") if ended_by_cr.search(text) else re.split(r"\r\n?|\n", text):
        bare = line.lstrip()
        if begins.match(bare):
            if found:
                yield "\n".join(found)
            found = [bare]
        elif bare:
            found.append(line.removeprefix("\n"))
    yield "\n".join(found)


@lru_cache(128)
def _beginnings(field: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    mark = re.escape(field)
    return re.compile(rf"{_ANY_NAME} ?{mark}|{_NAME} ?\s*\Z"), re.compile(rf"\r{_ANY_NAME}{mark}")
