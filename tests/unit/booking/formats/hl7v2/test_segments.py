"""What a message of HL7 v2 says is read as it is written, however its sender ends lines and names separators."""

import pytest

from booking.formats.hl7v2.segments import Message, path_of, read
from booking.values.refusals import Refused
from booking.values.unset import UNSET

HEADER = r"MSH|^~\&|EPIC|NORTH^1.2^ISO|ATTEND|X|20270312101500||SIU^S12^SIU_S12|17|P|2.5.1"


def message(*lines: str, header: str = HEADER, end: str = "\r") -> Message:
    return read(end.join((header, *lines, "")).encode())


def test_the_header_is_read() -> None:
    found = message()

    assert (found.kind, found.trigger, found.control_id) == ("SIU", "S12", "17")
    assert (found.application, found.facility, found.version, found.processing) == ("EPIC", "NORTH", "2.5.1", "P")
    assert [found.at(path) for path in ("MSH-1", "MSH-2", "MSH-4.2", "MSH-9.3")] == ["|", r"^~\&", "1.2", "SIU_S12"]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n", "\r\n\r\n"])
def test_segments_end_with_cr_lf_or_both(end: str) -> None:
    found = message("SCH|1|2", "PID|||7", end=end)

    assert [segment.name for segment in found.segments] == ["MSH", "SCH", "PID"]
    assert (found.at("SCH-2"), found.at("PID-3")) == ("2", "7")


def test_nul_is_nothing_and_a_name_in_small_letters_a_name() -> None:
    found = read((HEADER + "\r\0sch|1|2\r\0pid|||7\r\0").encode())

    assert [segment.name for segment in found.segments] == ["MSH", "SCH", "PID"]
    assert (found.at("SCH-2"), found.at("PID-3")) == ("2", "7")


@pytest.mark.parametrize(
    ("body", "note", "last"),
    [
        ("NTE|1||one\nUSA|x\rSCH|1|2\r", "one\nUSA", "2"),  # CR ends segments: LF is text
        ("NTE|1||one\rtwo\rSCH|1|2\r", "one\ntwo", "2"),  # a CR in the text, before no segment
        ("NTE|1||one\ntwo\nSCH|1|2\n", "one\ntwo", "2"),
        ("NTE|1||one\ntwo\r\nSCH|1|2\r\n", "one\ntwo", "2"),
        ("NTE|1||one\r\n\r\n SCH|1|2\n", "one", "2"),  # indented
        ("NTE |1||one\nSCH |1|2\n", "one", "2"),
    ],
)
def test_a_line_end_inside_a_text_is_text(body: str, note: str, last: str) -> None:
    end = "\r" if body.endswith("|2\r") else "\r\n" if body.endswith("\r\n") else "\n"

    found = read((HEADER + end + body).encode())

    assert (found.at("NTE-3"), found.at("SCH-2")) == (note, last)


@pytest.mark.parametrize(
    ("written", "said", "text"),
    [
        ("", UNSET, ""),
        ("  ", UNSET, ""),
        ('""', None, ""),
        (' "" ', None, ""),
        (" a b ", "a b", "a b"),
        ('"', '"', '"'),
    ],
)
def test_empty_is_told_from_taken_away(written: str, said: object, text: str) -> None:
    segment = message(f"PID|||{written}|x").first("PID")

    assert segment is not None
    assert (segment.said(3), segment.text(3)) == (said, text)


def test_what_is_absent_says_nothing() -> None:
    found = message("PID|||1^^^NHS&1.2&ISO")

    assert [found.at(path) for path in ("PID-9", "PID-3.9", "PID-3.4.4", "PID-3.1.2", "ZPD-1")] == [UNSET] * 5
    assert found.at("PID-3.4.2") == "1.2"


def test_what_is_taken_away_is_with_all_its_parts() -> None:
    segment = message('PID|||||""||""^MOBILE~""^HOME~1&""^""').first("PID")

    assert segment is not None
    assert [segment.said(5, 2), segment.said(5, 1, 0, 3), segment.said(5, 1, 1)] == [None, None, UNSET]
    assert [segment.said(7), segment.said(7, 2), segment.said(7, 1, 1), segment.said(7, 2, 2)] == [
        None, "MOBILE", None, None,
    ]  # fmt: skip


def test_repetitions_components_and_sub_components() -> None:
    segment = message("PID|||1^^^NHS&1.2&ISO^NH~2^^^^MR~||").first("PID")

    assert segment is not None
    assert [segment.repetitions(number) for number in (2, 3, 4, 99)] == [0, 3, 0, 0]
    assert [segment.text(3, 5, 1, number) for number in range(4)] == ["NH", "MR", "", ""]
    assert (segment.text(3, 4), segment.text(3, 4, 2), segment.text(3, 4, 4)) == ("NHS", "1.2", "")
    assert (segment.components(3), segment.components(3, 1)) == (["1", "", "", "NHS", "NH"], ["2", "", "", "", "MR"])
    assert (segment.components(4), segment.components(99), segment.text(0), segment.text(-1)) == ([], [], "", "")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"A\F\B\S\C\R\D\T\E\E\F", r"A|B^C~D&E\F"),
        (r"one\.br\two\.sp2\three", "one\ntwo\nthree"),
        (r"\H\bold\N\ \.in+4\x", "bold x"),
        (r"\X41\\X0d0A\B", "A\r\nB"),
        (r"F\XC3\\XBC\r", "Für"),
        (r"F\XC3BC\r", "Für"),
        (r"C:\scan\17", r"C:\scan\17"),
        (r"\\server\F", r"\\server\F"),
        (r"a\b", r"a\b"),
        (r"\X4\ \Q\ \F", r"\X4\ \Q\ \F"),
        (r"50\P\ ", "50#"),
    ],
)
def test_escapes_are_read_and_what_is_none_stands(written: str, meant: str) -> None:
    found = message(f"NTE|1||{written}|")

    assert found.at("NTE-3") == meant


@pytest.mark.parametrize(
    ("header", "body", "second", "sub"),
    [
        (r"MSH|^~\&#|a|b||||||17", "PID|1^2&3", "2", "3"),
        ("MSH^~|\\&^a^b^^^^^SIU~S12^17", "PID^1~2&3", "2", "3"),
        ("MSH*:+!%*a*b*****SIU:S12*17", "PID*1:2%3", "2", "3"),
        (r"MSH|^~\|a|b|||||SIU^S12|17", "PID|1^2&3", "2&3", UNSET),
        ("MSH|^|a|b|||||SIU^S12|17", "PID|1^2&3~4", "2&3~4", UNSET),
    ],
)
def test_separators_are_those_of_the_message(header: str, body: str, second: object, sub: object) -> None:
    header = header.replace("||||||17", "|||||SIU^S12|17")

    found = message(body, header=header)

    assert (found.kind, found.trigger, found.control_id, found.application) == ("SIU", "S12", "17", "a")
    assert (found.at("PID-1.2"), found.at("PID-1.2.2")) == (second, sub)


def test_a_header_may_stop_after_its_id_and_the_event_stand_in_evn() -> None:
    found = message("EVN|A08|20270312", header=r"MSH|^~\&||||||ESBCKGRND|ADT|77")

    assert (found.kind, found.trigger, found.control_id) == ("ADT", "A08", "77")
    assert (found.application, found.facility, found.version, found.processing) == ("", "", "", "")


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (b"", "NOT_HL7", "MSH"),
        (b"{}", "NOT_HL7", "MSH"),
        (b"FHS|^~\\&|a\rMSH|^~\\&|a", "NOT_HL7", "MSH"),
        (b"MSH", "BAD_SEPARATORS", "MSH-1"),
        (b"MSHA^~", "BAD_SEPARATORS", "MSH-1"),
        (b"MSH||a|b", "BAD_SEPARATORS", "MSH-2"),
        (b"MSH|^^\\&|a|b", "BAD_SEPARATORS", "MSH-2"),
        (b"MSH|^~\\&amp;|a|b", "BAD_SEPARATORS", "MSH-2"),
        (b"MSH|^~\\&|a|b", "NO_MESSAGE_TYPE", "MSH-9"),
        (b"MSH|^~\\&|a|b|||||SIU^S12|", "NO_CONTROL_ID", "MSH-10"),
        (b"MSH|^~\\&|a|b|||||SIU^S12|1\rMSH|^~\\&|a|b|||||SIU^S12|2\r", "SEVERAL_MESSAGES", "MSH"),
    ],
)
def test_what_is_no_message_is_refused_with_its_place(body: bytes, code: str, place: str) -> None:
    with pytest.raises(Refused) as refused:
        read(body)

    assert (refused.value.code, refused.value.place) == (code, place)


def test_a_path_is_written_in_one_way() -> None:
    assert path_of("Z01-2") == ("Z01", 2, 1, 1)
    assert path_of("PID-3.4.2") == ("PID", 3, 4, 2)
    for wrong in ("PID", "PID-0", "pid-3", "PID-3.0", "PID.3", "PID-3.4.2.1", "PID-3 "):
        with pytest.raises(ValueError, match="not a path"):
            path_of(wrong)
