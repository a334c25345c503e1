"""A file says by its beginning what it is, and what must keep its order goes one way."""

import pytest

from booking.files.bodies import Body, bodies
from booking.files.cut import Record
from booking.files.kinds import Kind, cut_as, kind_of
from booking.profiles.csv_knobs import CsvProfile
from booking.values.refusals import Refused

HEADER = b"appointment_id;patient_id;start\n"


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b'\xef\xbb\xbf \n{"event_id": "e"}', Kind.NDJSON),
        (b"\x0bMSH|^~\\&|", Kind.HL7),
        (b"FHS|^~\\&\r", Kind.HL7),
        (b"begin:vcalendar\r\n", Kind.ICS),
        (b"MSHid,start\n", Kind.CSV),
        (b"\xff\xfei\x00d\x00", Kind.CSV),
        (b"", Kind.CSV),
    ],
)
def test_a_file_is_told_by_how_it_begins(first: bytes, kind: Kind) -> None:
    assert kind_of(first) is kind


@pytest.mark.parametrize(
    ("first", "code", "way_out"),
    [
        (b"[{}]", "NOT_JSON", "jq -c .[]"),
        (b'{\n "event_id": "e"\n}', "NOT_JSON", "jq -c ."),
        (b'{"resourceType": "Bundle",\r\n "entry": []}', "NOT_JSON", "jq -c ."),
        (b"\x1f\x8b\x08\0", "NOT_TEXT", "gunzip"),
        (b"PK\x03\x04\x14\0", "NOT_TEXT", "CSV"),
        (b"\xd0\xcf\x11\xe0\xa1", "NOT_TEXT", "CSV"),
        (b"%PDF-1.7", "NOT_TEXT", "CSV"),
        (b'<?xml version="1.0"?>', "NOT_TEXT", "CSV"),
    ],
)
def test_what_cannot_be_cut_into_lines_is_refused_with_the_way_out(first: bytes, code: str, way_out: str) -> None:
    with pytest.raises(Refused, match=code) as refused:
        kind_of(first)

    assert way_out in refused.value.message


def csv_of(*rows: bytes, **knobs: object) -> list[tuple[int, int, bytes]]:
    """Return (line, lane, row) of a file."""
    whole = HEADER + b"".join(row + b"\n" for row in rows)
    found = cut_as(Kind.CSV, iter([whole]), whole, CsvProfile.model_validate(knobs), [])
    return [(record.line, found.lane_of(record), record.body) for record in found.records]


def test_rows_of_one_patient_are_in_one_lane_and_others_are_spread() -> None:
    found = csv_of(b"v1;p1;x", b"v2;p2;x", b"v1;p1;y", b'v3;"p1";x', b"v4;p3;x")
    first, second, third, quoted, other = (lane for _, lane, _ in found)

    assert first == third == quoted
    assert len({first, second, other}) == 3


@pytest.mark.parametrize(
    ("knobs", "code"),
    [
        ({"columns": {"start": "when"}}, "UNKNOWN_COLUMN"),
        ({"id": ["nr"]}, "UNKNOWN_COLUMN"),
        ({"delimiter": "|"}, "NO_COLUMNS"),
    ],
)
def test_columns_that_are_not_there_are_told_before_anything_is_sent(knobs: dict[str, object], code: str) -> None:
    with pytest.raises(Refused) as refused:
        csv_of(b"v1;p1;x", **knobs)

    assert refused.value.code == code


def test_events_of_one_visit_are_in_one_lane_whatever_they_are_written_in() -> None:
    lines = [
        b'{"appointment": {"id": "v1"}}',
        b'{"appointment":{"id":"v2"}}',
        b'{"appointment": {"status": 1, "id": "v1"}}',
    ]
    lines += [b"{", b'{"resourceType": "Appointment", "id": "v1"}', b'{"resourceType": "Bundle", "id": "b"}']
    found = cut_as(Kind.NDJSON, iter([b"\n".join(lines)]), b"{", CsvProfile(), [])
    first, second, again, broken, resource, bundle = (found.lane_of(record) for record in found.records)

    assert first == again == resource != second
    assert broken == bundle == 0


def test_bodies_are_full_ones_of_each_lane_with_one_head_and_what_is_refused_goes_at_once() -> None:
    records = [Record(number, b"r%d\n" % number, b"h\n") for number in range(1, 8)]
    records.insert(3, Record(99, b"", refusal=Refused("BAD_CSV", "open")))
    records.append(Record(8, b"r8\n", b"H\n"))
    found = list(bodies(records, lambda record: record.line, 2, most=3))

    assert [[one.line for one in body.records] if isinstance(body, Body) else body.line for body in found] == [
        99, [1, 3, 5], [2, 4, 6], [7], [8],
    ]  # fmt: skip
    assert isinstance(found[1], Body)
    assert found[1].written(b"END", None) == b"h\nr1\nr3\nr5\nEND"
    assert found[1].written(b"", "utf-16-le") == "h\nr1\nr3\nr5\n".encode("utf-16-le")


def test_a_body_that_is_halved_loses_no_record() -> None:
    body = Body(0, [Record(number, b"") for number in range(5)])

    assert [[one.line for one in half.records] for half in body.halves] == [[0, 1], [2, 3, 4]]
