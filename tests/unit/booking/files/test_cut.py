"""Files are cut into records wherever their chunks end, and each record knows its line."""

from collections.abc import Iterator

import pytest

from booking.files import cut
from booking.files.cut import Record
from booking.files.physical import Line, as_utf8, lines_of
from booking.values.warned import Warned

SIU = rb"MSH|^~\&|A|B|||20270301||SIU^S12|%d|P|2.5" + b"\rSCH|1|2\r"


def chunks(whole: bytes, size: int) -> Iterator[bytes]:
    return (whole[at : at + size] for at in range(0, len(whole), size))


def lines(whole: bytes, size: int = 5) -> Iterator[Line]:
    return lines_of(chunks(whole, size))


def shown(records: Iterator[Record]) -> list[tuple[int, bytes | str]]:
    return [(one.line, one.refusal.code if one.refusal else one.body) for one in records]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_lines_end_in_cr_lf_or_both_wherever_a_chunk_ends(size: int) -> None:
    found = [(line.number, line.text) for line in lines(b"a\r\nb\nc\rd\r\n\r\ne", size)]

    assert found == [(1, b"a\r\n"), (2, b"b\n"), (3, b"c\r"), (4, b"d\r\n"), (5, b"\r\n"), (6, b"e")]


@pytest.mark.parametrize("size", [1, 3, 8, 1_000])
def test_a_line_that_is_too_long_is_passed_over_to_its_end(size: int) -> None:
    found = list(lines_of(chunks(b"ab\n" + b"x" * 50 + b"\ncd\n" + b"y" * 30, size), longest=10))

    assert found == [Line(1, b"ab\n"), Line(2, None), Line(3, b"cd\n"), Line(4, None)]


@pytest.mark.parametrize("size", [1, 2, 5, 1_000])
def test_a_file_of_two_bytes_a_character_is_read_as_any_other(size: int) -> None:
    whole = "id;naïve\n1;☃\n".encode("utf-16")

    assert b"".join(as_utf8(iter([whole[:2], *chunks(whole[2:], size)]))).decode() == "id;naïve\n1;☃\n"
    assert b"".join(as_utf8(chunks(b"id;na\xefve\n", size))) == b"id;na\xefve\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"h\na,b\n\nc,d", [(2, b"a,b\n"), (4, b"c,d\n")]),
        (b'h\n"a\nb",c\nd\n', [(2, b'"a\nb",c\n'), (4, b"d\n")]),
        (b'h\n5" tall,c\nd\n', [(2, b'5" tall,c\n'), (3, b"d\n")]),
        (b'h\n"a ""q"" b",c\r\nd\r\n', [(2, b'"a ""q"" b",c\n'), (3, b"d\n")]),
        (b'h\nx,"open\ny,1\nz,2', [(2, "BAD_CSV"), (3, b"y,1\n"), (4, b"z,2\n")]),
        (b'h\nx,"o\ny,"p\nz,2\n', [(2, b'x,"o\ny,"p\n'), (4, b"z,2\n")]),
        (b"h\ra\rb\r", [(2, b"a\n"), (3, b"b\n")]),
    ],
)
def test_rows_keep_quoted_line_ends_and_an_open_quote_swallows_no_other_row(
    text: bytes, expected: list[tuple[int, bytes | str]]
) -> None:
    found = list(cut.rows(lines(text), b",", has_header=True))

    assert shown(iter(found)) == expected
    assert {one.head for one in found} == {b"h\n"}


def test_an_open_quote_is_given_up_after_so_many_bytes_and_no_line_is_lost() -> None:
    rows = b"".join(b"row %d,x\n" % number for number in range(10_000))
    found = list(cut.rows(lines(b'h\n"open\n' + rows, 4_096), b",", has_header=True))

    assert (found[0].line, found[0].refusal is not None) == (2, True)
    assert [one.line for one in found[1:]] == list(range(3, 10_003))


def test_lines_of_json_are_records_and_empty_ones_none() -> None:
    found = cut.lines_of_json(lines(b'\n{"a":1}\r\n  \n{"b":2}'))

    assert shown(found) == [(2, b'{"a":1}\n'), (4, b'{"b":2}\n')]


@pytest.mark.parametrize("size", [1, 4, 64, 10_000])
def test_messages_are_cut_out_of_their_envelopes_with_their_lines_and_wrong_counts_told(size: int) -> None:
    warnings: list[Warned] = []
    whole = b"FHS|^~\\&\rBHS|^~\\&\r" + SIU % 1 + b"\n" + SIU % 2 + b"BTS|3\rFTS|1\r"
    found = list(cut.messages(lines(whole, size), warnings))

    assert [one.line for one in found] == [3, 5]
    assert [b"|%d|P" % number in one.body for number, one in enumerate(found, 1)] == [True, True]
    assert [(one.code, one.place) for one in warnings] == [("BATCH_COUNT_DIFFERS", "BTS-1")]


def test_what_stands_before_the_first_message_is_a_record_that_the_door_refuses() -> None:
    found = list(cut.messages(lines(b"hello\r\n" + SIU % 1), []))

    assert [one.line for one in found] == [1, 2]
    assert found[0].body.strip() == b"hello"


CALENDAR = b"""BEGIN:VCALENDAR
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Here
BEGIN:STANDARD
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1
BEGIN:VALARM
END:VALARM
END:VEVENT
BEGIN:VTODO
UID:t
END:VTODO
BEGIN:VEVENT
UID:2
END:VEVENT
END:VCALENDAR
BEGIN:VCALENDAR
METHOD:CANCEL
BEGIN:VEVENT
UID:3
END:VEVENT
END:VCALENDAR
"""


@pytest.mark.parametrize("size", [1, 9, 10_000])
def test_events_of_a_calendar_keep_its_beginning_and_what_is_no_event_is_passed_over(size: int) -> None:
    found = list(cut.events(lines(CALENDAR, size)))

    assert [(one.line, one.body.split(b"\r\n")[1]) for one in found] == [(8, b"UID:1"), (16, b"UID:2"), (22, b"UID:3")]
    assert b"VALARM" in found[0].body
    assert found[0].head == found[1].head
    assert b"TZID:Here" in found[0].head
    assert found[2].head == b"BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\n"
