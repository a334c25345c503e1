"""A body of several messages is every message in it, whatever is around them and however they were counted."""

import pytest

from booking.formats.hl7v2 import batches
from booking.formats.hl7v2.batches import opened, split
from booking.formats.hl7v2.segments import read
from booking.values.refusals import Refused

FILE, BATCH = rb"FHS|^~\&|LAB|X", rb"BHS|^~\&|LAB|X"


def one(number: int, mark: bytes = b"\r") -> bytes:
    return mark.join((rb"MSH|^~\&|a|b|||||ADT^A04|%d" % number, b"PID|1||%d" % number))


def ids(body: bytes) -> list[str]:
    return [read(message).control_id for message in split(body)]


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\r\n"])
@pytest.mark.parametrize(
    "parts",
    [
        ["1", "2", "3"],
        ["FHS", "BHS", "1", "2", "3", "BTS|3", "FTS|1"],
        ["BHS", "1", "2", "3", "BTS|3|a comment"],
        ["BHS", "1", "2", "3"],  # no end
        ["FHS", "1", "2", "3", "FTS|1"],  # no batch in the file
        ["FHS", "1", "2", "3", "FTS|3"],
        ["1", "2", "3", "BTS", "FTS"],
        ["FHS", "BHS", "1", "2", "BTS|2", "BHS", "3", "BTS|1", "FTS|2"],
        ["BHS", "1", "2", "BHS", "3", "BTS|1"],
    ],
)
def test_messages_are_found_in_any_envelope(parts: list[str], end: bytes) -> None:
    written = {"FHS": FILE, "BHS": BATCH} | {str(number): one(number, end) for number in (1, 2, 3)}
    body = end.join([written.get(part, part.encode()) for part in parts] + [b""])

    found = opened(body)

    assert [read(message).control_id for message in found.messages] == ["1", "2", "3"]
    assert [read(message).at("PID-3") for message in found.messages] == ["1", "2", "3"]
    assert [len(read(message).segments) for message in found.messages] == [2, 2, 2]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("parts", "places"),
    [
        (["BHS", "1", "2", "BTS|3"], ["BTS-1"]),
        (["FHS", "BHS", "1", "BTS|1", "BHS", "2", "BTS|2", "FTS|1"], ["BTS-1", "FTS-1"]),
        (["FHS", "1", "2", "FTS|7"], ["FTS-1"]),
        (["FHS", "BHS", "1", "2", "BTS|many", "FTS|"], []),
    ],
)
def test_a_wrong_count_is_said_and_every_message_taken(parts: list[str], places: list[str]) -> None:
    written = {"FHS": FILE, "BHS": BATCH, "1": one(1), "2": one(2)}

    found = opened(b"\r".join(written.get(part, part.encode()) for part in parts))

    assert [read(message).control_id for message in found.messages] == ["1", "2"]
    assert [(warned.code, warned.place) for warned in found.warnings] == [
        ("BATCH_COUNT_DIFFERS", place) for place in places
    ]


def test_frames_and_marks_between_messages_are_not_of_them() -> None:
    assert ids(b"\x0b" + one(1) + b"\r\x1c\r\x0b" + one(2) + b"\r\x1c\r\0\0\xef\xbb\xbf" + one(3)) == ["1", "2", "3"]
    assert ids(b"\xef\xbb\xbf" + one(1) + b"\r\n\xef\xbb\xbf" + one(2)) == ["1", "2"]
    assert ids((one(1) + b"\r" + one(2)).decode().encode("utf-16")) == ["1", "2"]


def test_a_name_within_a_text_begins_no_message() -> None:
    body = one(1) + b"\rNTE|1||see MSH|^~ and BTS|2\rNTE|2||MSHX|\r" + one(2)

    assert ids(body) == ["1", "2"]
    assert read(split(body)[0]).all("NTE")[0].text(3) == "see MSH"


def test_an_empty_envelope_holds_nothing_and_what_is_no_message_is_handed_on() -> None:
    assert split(FILE + b"\r" + BATCH + b"\rBTS|0\rFTS|1\r") == []
    assert split(b"") == [b""]
    assert split(b'{"a": 1}') == [b'{"a": 1}']
    assert split(b"written by hand\r" + one(1)) == [b"written by hand", one(1)]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64])
def test_a_file_is_read_in_chunks_of_any_size(size: int) -> None:
    body = b"\r".join((FILE, BATCH, one(1), one(2), b"BTS|2", one(3), b"FTS|1", b""))

    found = list(batches.messages((body[at : at + size] for at in range(0, len(body), size)), []))

    assert found == [one(1), one(2), one(3)]


def test_a_message_without_an_end_is_not_kept() -> None:
    with pytest.raises(Refused, match="BODY_TOO_LARGE"):
        list(batches.messages((b"x" * 60 for _ in range(2)), [], longest=100))
    assert list(batches.messages([one(1) + b"\r" + one(2)], [], longest=60)) == [one(1), one(2)]
