"""Frames of MLLP, as senders in the field write them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.mllp.frames import Frame, Frames, framed

A, B = b"MSH|^~\\&|A\rSCH|1\r", b"MSH|^~\\&|B\rSCH|2\r"


def frame(body: bytes) -> bytes:
    return b"\x0b" + body + b"\x1c\x0d"


CASES = {
    "one": ([frame(A)], [A], 0),
    "two in a packet": ([frame(A) + frame(B)], [A, B], 0),
    "a NUL between": ([frame(A) + b"\0" + frame(B)], [A, B], 0),
    "line ends between": ([frame(A) + b"\r\n\n" + frame(B) + b"\r\n"], [A, B], 0),
    "half a frame": ([frame(A)[:7], frame(A)[7:]], [A], 0),
    "one and a half": ([frame(A) + frame(B)[:4], frame(B)[4:]], [A, B], 0),
    "the start byte alone": ([b"\x0b", frame(A)[1:]], [A], 0),
    "the end bytes apart": ([frame(A)[:-2], b"\x1c", b"\x0d"], [A], 0),
    "the last byte alone, with the next frame": ([frame(A)[:-1], b"\x0d" + frame(B)], [A, B], 0),
    "doubled bytes": ([b"\x0b\x0b" + A + b"\x1c\x0d\x1c\x0d" + frame(B)], [A, B], 0),
    "end byte twice": ([b"\x0b" + A + b"\x1c\x0d\x1c" + frame(B)], [A, B], 0),
    "nothing in it": ([b"\x0b\x1c\x0d" + frame(A) + b"\x0b\x0b\x1c\x0d"], [A], 0),
    "begun anew": ([frame(A)[:-9] + frame(B)], [B], len(A) - 7),
    "begun anew after the start byte": ([b"\x0b", frame(B)], [B], 0),
    "a vertical tab in a text": ([frame(b"MSH|a\x0bb\r")], [b"MSH|a\x0bb\r"], 0),
    "an end byte in a text": ([frame(b"MSH|a\x1cb\r")], [b"MSH|a\x1cb\r"], 0),
    "a batch": ([frame(b"FHS|\r" + A + b"FTS|1\r")], [b"FHS|\r" + A + b"FTS|1\r"], 0),
    "words outside": ([b"hello" + frame(A) + b"x" + frame(B)], [A, B], 6),
    "no frame at all": ([A], [], len(A) - 2),
}


@pytest.mark.parametrize(("packets", "messages", "junk"), CASES.values(), ids=CASES.keys())
def test_a_message_is_found_however_it_comes(packets: list[bytes], messages: list[bytes], junk: int) -> None:
    frames = Frames(limit=1000)
    assert [one for packet in packets for one in frames.feed(packet, 0)] == [Frame(body) for body in messages]
    assert (frames.junk, frames.waiting) == (junk, 0)


@given(st.lists(st.sampled_from([frame(A), frame(B), b"\0", b"\r\n", b"\x1c"]), max_size=12), st.data())
def test_where_packets_end_makes_no_difference(pieces: list[bytes], data: st.DataObject) -> None:
    text, frames = b"".join(pieces), Frames(limit=1000)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=9)))
    packets = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    found = [one.body for packet in packets for one in frames.feed(packet, 0)]
    assert found == [piece[1:-2] for piece in pieces if len(piece) > 2]
    assert frames.junk == 0


PIECES = [b"\x0b", b"\x1c", b"\x0d", b"\0", b"\n", b"MSH|", b"x" * 9, b"\x0bMSH", b"\x1c\x0d", b"FHS"]


@given(st.lists(st.sampled_from(PIECES), max_size=20), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_whatever_is_sent_it_is_cut_alike_in_one_packet_and_in_many_and_little_is_held(
    pieces: list[bytes], sizes: list[int]
) -> None:
    text, frames, found, at = b"".join(pieces), Frames(limit=30), list[Frame](), 0
    for size in itertools.cycle(sizes):
        found += frames.feed(text[at : at + size], 0)
        assert len(frames._buffer) <= 31
        at += size
        if at >= len(text):
            break
    whole = Frames(limit=30)
    assert (whole.feed(text, 0), whole.junk, whole.waiting) == (found, frames.junk, frames.waiting)


@pytest.mark.parametrize("packet", [1, 2, 3, 7, 1000])
def test_one_that_is_too_long_is_told_of_with_its_beginning_and_the_next_is_taken(packet: int) -> None:
    text, frames = frame(A + b"X" * 500) + frame(B) + frame(b"Y" * 30), Frames(limit=30)
    most, found = 0, list[Frame]()
    for at in range(0, len(text), packet):
        found += frames.feed(text[at : at + packet], 0)
        most = max(most, len(frames._buffer))
    assert found == [Frame((A + b"X" * 500)[:30], too_long=True), Frame(B), Frame(b"Y" * 30)]
    assert packet == 1000 or most <= 31 + packet


def test_an_end_byte_where_the_beginning_is_cut_off_is_no_end() -> None:
    frames = Frames(limit=4)
    for packet in (b"\x0bABC\x1c", b"DEF", b"\x0d", b"GH"):
        assert frames.feed(packet, 0) == []
    assert frames.waiting == 10
    assert frames.feed(b"\x1c\x0d", 0) == [Frame(b"ABC\x1c", too_long=True)]


def test_it_says_since_when_and_how_much_waits() -> None:
    frames = Frames(limit=100)
    assert frames.waiting == 0
    frames.feed(b"\x0bMSH", 5.0)
    frames.feed(b"|", 6.0)
    assert (frames.since, frames.waiting) == (5.0, 4)
    frames.feed(b"\x1c\x0d" + frame(A) + b"\x0bM", 7.0)
    assert (frames.since, frames.waiting) == (7.0, 1)
    frames.feed(b"\x1c\x0d", 8.0)
    assert (frames.since, frames.waiting) == (None, 0)


def test_bytes_outside_of_frames_wait_for_one_too() -> None:
    frames = Frames(limit=100)
    frames.feed(b"\r\n\0", 1.0)
    assert frames.since is None
    frames.feed(b"GET / HTTP/1.1\r\n", 2.0)
    frames.feed(b"Host: x\r\n", 3.0)
    told = [frames.since]
    for at, packet in ((4.0, b"\x0bM"), (5.0, b"\x1c\x0dx")):
        frames.feed(packet, at)
        told.append(frames.since)
    assert told == [2.0, 4.0, None]


def test_answers_are_framed_as_one_text_and_an_empty_one_is_none() -> None:
    assert framed([A, b"", B]) == frame(A) + frame(B)
