"""Which kind of file it is, how it is cut, and which records must keep their order."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple
from zlib import crc32

import orjson

from booking.files import cut
from booking.files.cut import Record
from booking.files.physical import as_utf8, lines_of, wide_of
from booking.formats.separated.columns import index_of, places_of
from booking.formats.separated.rows import decoded, delimiter_of, said_by
from booking.profiles.csv_knobs import Column, CsvProfile
from booking.values.refusals import Refused
from booking.values.warned import Warned


class Kind(StrEnum):
    """A kind of file."""

    CSV = "csv"
    NDJSON = "ndjson"
    HL7 = "hl7"
    ICS = "ics"


CONTENT_TYPES = {
    Kind.CSV: "text/csv",
    Kind.NDJSON: "application/x-ndjson",
    Kind.HL7: "application/hl7-v2",
    Kind.ICS: "text/calendar",
}


_NO_TEXT: Sequence[tuple[bytes, str]] = (
    (b"\x1f\x8b", "compressed: unpack it first, as `gunzip` does"),
    (b"PK\x03\x04", "an archive or a workbook: unpack it, or save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0", "a workbook: save the sheet as CSV (UTF-8)"),
    (b"BZh", "compressed: unpack it first, as `bunzip2` does"),
    (b"\x28\xb5\x2f\xfd", "compressed: unpack it first, as `unzstd` does"),
    (b"%PDF", "a document to be printed: export the list as CSV"),
    (b"\x89PNG", "a picture: export the list as CSV"),
    (b"<", "XML or HTML: export the list as CSV, or lines of JSON"),
)
"""How files begin that are sent by mistake, and what to do."""


def kind_of(first: bytes) -> Kind:
    """Return which kind a file is, by its first bytes; one that begins as no other is of separated values.

    Raises:
        Refused: NOT_JSON: one JSON over many lines. NOT_TEXT: an archive, a workbook, or what else is no text.
    """
    for begins, what in _NO_TEXT:
        if first.startswith(begins):
            raise Refused("NOT_TEXT", what)
    begins = first.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x0b\x1c\0")
    if begins.startswith(b"["):
        raise Refused("NOT_JSON", "an array: give each event a line of its own (NDJSON), as `jq -c .[]` does")
    if begins.startswith(b"{"):
        if begins.partition(b"\n")[0].rstrip().endswith((b"{", b"[", b",")):
            raise Refused("NOT_JSON", "one JSON over many lines: give each event a line of its own, as `jq -c .` does")
        return Kind.NDJSON
    if begins[:3] in {b"MSH", b"FHS", b"BHS"} and not begins[3:4].isalnum():
        return Kind.HL7
    return Kind.ICS if begins[:15].upper() == b"BEGIN:VCALENDAR" else Kind.CSV


class Cut(NamedTuple):
    """A file on its way.

    Attributes:
        records: In the order of the file.
        tail: What stands after the last record of each body.
        lane_of: Record → what must not overtake it: records of one lane keep their order.
        encoding: In which bodies are sent again; None: as they are.
    """

    records: Iterator[Record]
    tail: bytes
    lane_of: Callable[[Record], int]
    encoding: str | None = None


def cut_as(kind: Kind, chunks: Iterable[bytes], first: bytes, knobs: CsvProfile, warnings: list[Warned]) -> Cut:
    """Return the records of a file.

    Args:
        first: Its first bytes, which `chunks` has too.
        knobs: Of separated values.
        warnings: Takes what is said of the file as a whole.

    Raises:
        Refused: UNKNOWN_COLUMN, NO_COLUMNS, BAD_CHARSET, EMPTY_BODY.
    """
    match kind:
        case Kind.NDJSON:
            return Cut(cut.lines_of_json(lines_of(chunks)), b"", _lane_of_json)
        case Kind.HL7:
            return Cut(cut.messages(lines_of(chunks), warnings), b"", _one_lane)
        case Kind.ICS:
            return Cut(cut.events(lines_of(chunks)), cut.END_OF_CALENDAR, _one_lane)
        case Kind.CSV:
            return _separated(chunks, first, knobs)


def _separated(chunks: Iterable[bytes], first: bytes, knobs: CsvProfile) -> Cut:
    wide = wide_of(first, knobs.encoding)
    text = first[: len(first) // 4 * 4].decode(wide, "replace") if wide else decoded(first, _narrow(knobs.encoding))
    beginning = text.lstrip("\ufeff\r\n").splitlines()
    if not beginning:
        raise Refused("EMPTY_BODY", "the file is empty")
    said = said_by(beginning[0])
    beginning = beginning[said is not None :] or [""]
    delimiter = said if said is not None and knobs.delimiter == "auto" else delimiter_of(beginning[0], knobs)
    header = next(csv.reader(beginning, delimiter=delimiter)) if knobs.header else None
    lane_of = _lane_of_rows(header, delimiter, knobs)
    found = cut.rows(lines_of(as_utf8(chunks, knobs.encoding)), delimiter.encode(), has_header=knobs.header)
    return Cut(found, b"", lane_of, wide if knobs.encoding != "auto" else None)


def _narrow(encoding: str) -> str:
    """Return how the first line is read: a character that the first bytes cut in two is none of its."""
    return "auto" if encoding.replace("-", "").lower() == "utf8" else encoding


def _one_lane(_record: Record) -> int:
    """Return one lane for all: which visit a record is of is not told without reading it whole."""
    return 0


def _lane_of_json(record: Record) -> int:
    try:
        value: Any = orjson.loads(record.body)
    except ValueError:
        return 0
    visit = value.get("appointment", value) if isinstance(value, dict) else None
    name = visit.get("id") if isinstance(visit, dict) and visit.get("resourceType") != "Bundle" else None
    return crc32(name.encode("utf-8", "replace")) if isinstance(name, str) else 0


_OF_PATIENT = (
    *(Column.PATIENT_ID, Column.PATIENT_NAME, Column.GIVEN_NAME, Column.FAMILY_NAME, Column.MOBILE, Column.EMAIL),
)


def _lane_of_rows(header: Sequence[str] | None, delimiter: str, knobs: CsvProfile) -> Callable[[Record], int]:
    """Return the lane of rows: those of one patient, and so those of one visit, keep their order."""
    places = places_of(header, knobs)
    for number, name in enumerate(knobs.id):
        index_of(name, header, f"csv.id.{number}")
    by_id = Column.PATIENT_ID in places
    named = [places[one] for one in (_OF_PATIENT[:1] if by_id else _OF_PATIENT) if one in places]

    def lane_of(record: Record) -> int:
        try:
            (row,) = csv.reader((record.body.decode("latin-1"),), delimiter=delimiter)
        except (ValueError, csv.Error):
            return 0
        return crc32("\0".join(row[one] for one in named if one < len(row)).encode("latin-1"))

    return lane_of
