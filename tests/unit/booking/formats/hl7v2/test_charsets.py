"""The character set of a message is what its profile says, else MSH-18, else what its bytes show."""

from codecs import BOM_UTF8, BOM_UTF16_LE

import pytest

from booking.formats.hl7v2.charsets import codec_of
from booking.formats.hl7v2.segments import Message, read
from booking.values.refusals import Refused

NAME = "Müller^Zoë"
WARNED = ["CHARSET_DIFFERS"]


def message(name: str | bytes, declared: str = "", codec: str = "utf-8", charset: str | None = None) -> Message:
    header = rf"MSH|^~\&|a|b|c|d|20270312||ADT^A28|1|P|2.5||||||{declared}|en"
    written = name if isinstance(name, bytes) else name.encode(codec)
    return read(header.encode() + b"\rPID|1||7||" + written + b"\r", charset)


@pytest.mark.parametrize(
    ("name", "declared", "codec", "warned"),
    [
        (NAME, "", "utf-8", []),
        (NAME, "UNICODE UTF-8", "utf-8", []),
        (NAME, "UTF-8", "utf-8", []),
        (NAME, "8859/1", "latin-1", []),
        ("Łódź^Ę", "8859/2", "iso8859-2", []),
        ("Ян^Юлия", "8859/5", "iso8859-5", []),
        ("ЯН^ЯН", "8859/5", "iso8859-5", []),  # CF BD is UTF-8 too, of a letter that no one means
        ("李^小龍", "BIG-5", "big5", []),
        ("隆^联通", "GB 18030-2000", "gb18030", []),
        ("김^철수", "KS X 1001", "euc_kr", []),
        ("山田^太郎", "~ISO IR87", "iso2022_jp", []),
        (NAME, "", "latin-1", WARNED),  # no MSH-18, and no UTF-8
        ("Čapek^€", "WINDOWS-1250", "cp1250", []),
        (NAME, "8859/1", "utf-8", WARNED),  # untrue
        ("Łódź^Ę", "8859/1", "utf-8", WARNED),  # in no way 8859/1
        ("“Zoë”^€", "8859/1", "cp1252", WARNED),
        (NAME, "ASCII", "latin-1", WARNED),
        (NAME, "ASCII", "utf-8", WARNED),
        (NAME, "UNICODE UTF-8", "latin-1", WARNED),
        (NAME, "UNHEARD OF", "utf-8", WARNED),
        (NAME, "UNICODE UTF-16", "utf-8", []),  # there is no other way to read MSH
        ("Eve^Ann", "UNHEARD OF", "ascii", []),
    ],
)
def test_a_name_is_read_whatever_is_declared(name: str, declared: str, codec: str, warned: list[str]) -> None:
    found = message(name, declared, codec)

    family, given = name.split("^")
    assert (found.at("PID-5"), found.at("PID-5.2")) == (family, given)
    assert [one.code for one in found.warnings] == warned


def test_the_profile_is_believed_before_the_message_and_the_bytes_before_the_profile() -> None:
    assert message("Łódź", "8859/1", "cp1250", "windows-1250").at("PID-5") == "Łódź"
    assert message(NAME.encode(), "8859/1", charset="8859/1").at("PID-5") == "MÃ¼ller"
    found = message(NAME, "8859/1", "latin-1", "UTF-8")
    assert (found.at("PID-5"), [one.code for one in found.warnings]) == ("Müller", WARNED)


def test_bytes_of_an_escape_are_of_the_charset() -> None:
    assert message(rb"M\XFC\ller", "8859/1").at("PID-5") == "Müller"
    assert message(rb"M\XFC\ller", "UNICODE UTF-8").at("PID-5") == "Müller"
    assert message(rb"\XCF\\XBD\ ", "8859/5").at("PID-5") == "ЯН"
    assert message(rb"M\X81\ ", "ASCII").at("PID-5") == "M\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize(
    ("before", "codec", "after"),
    [
        (BOM_UTF8, "utf-8", b""),
        (b"\x0b", "utf-8", b"\x1c\r"),
        (b"\0\r\n", "utf-8", b"\0\n"),
        (b"\x0b" + BOM_UTF8 + b"\n", "utf-8", b"\x1c"),
        (BOM_UTF16_LE, "utf-16-le", b""),
        (b"", "utf-16-le", b""),
        (b"", "utf-16-be", b""),
    ],
)
def test_marks_frames_and_blanks_around_a_message_are_not_of_it(before: bytes, codec: str, after: bytes) -> None:
    text = "MSH|^~\\&|a|b|||||ADT^A28|1\rPID|1||7||Müller^Zoë\r"

    found = read(before + text.encode(codec) + after)

    assert (found.at("PID-5"), found.at("PID-5.2"), found.raw) == ("Müller", "Zoë", text.strip().encode())


def test_bytes_of_no_charset_are_refused() -> None:
    with pytest.raises(Refused, match="BAD_CHARSET") as refused:
        message(b"M\x81ller", "UNICODE UTF-8")
    assert refused.value.place == "MSH-18"
    with pytest.raises(Refused, match="BAD_CHARSET") as refused:
        message(b"Eve", charset="rot13")
    assert refused.value.place == "charset"


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("8859/15", "iso8859-15"),
        ("ISO-8859-15", "iso8859-15"),
        ("ISO_IR 100", "iso8859-1"),
        ("iso ir6", "ascii"),
        ("cp1252", "cp1252"),
        ("Windows-1257", "cp1257"),
        ("8859/12", None),
        ("rot13", None),
        ("", None),
    ],
)
def test_a_charset_has_many_names(name: str, codec: str | None) -> None:
    assert codec_of(name) == codec
