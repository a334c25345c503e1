"""Several messages of HL7 v2 in one body or file, within envelopes (FHS, BHS … BTS, FTS) or without."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from booking.formats.hl7v2.charsets import bare
from booking.values.refusals import Refused
from booking.values.warned import BATCH_COUNT_DIFFERS, Warned

LONGEST = 16 * 1024 * 1024
"""Bytes of one message. Whatever is longer is none, and is not kept in memory to find its end."""

_BEGINNING = re.compile(
    rb"(?:\A|(?<=[\r\n\x0b\x1c\0]))(?:\xef\xbb\xbf)?[ \t]*"
    rb"(?:(?:MSH|FHS|BHS)(?=[!-/:-@\[-`{-~])|[BF]TS(?=[^A-Za-z0-9]|\Z))"
)


class Batch(NamedTuple):
    """What a body holds.

    Attributes:
        messages: Each without its envelope; what is neither stands as it came, so that its reader refuses it.
        warnings: BATCH_COUNT_DIFFERS for each count that is wrong.
    """

    messages: Sequence[bytes]
    warnings: Sequence[Warned] = ()


def split(body: bytes) -> Sequence[bytes]:
    """Return the messages in `body`."""
    return opened(body).messages


def opened(body: bytes) -> Batch:
    """Return the messages in `body`, and what is said of its envelopes."""
    warnings: list[Warned] = []
    whole = bare(body)
    return Batch([*messages([whole], warnings)] if whole else [body], warnings)


def messages(chunks: Iterable[bytes], warnings: list[Warned], longest: int = LONGEST) -> Iterator[bytes]:
    """Yield the messages of a file as it is read: no more of it is kept than the longest message and one chunk.

    Args:
        warnings: Takes what is said of envelopes, as their ends are met.
        longest: Bytes of the longest message.

    Raises:
        Refused: BODY_TOO_LARGE: a message has no end.
    """
    of_batch = of_file = batches = 0
    for piece in _pieces(chunks, longest):
        match piece[:3]:
            case b"FHS":
                of_batch = of_file = batches = 0
            case b"BHS":
                of_batch, batches = 0, batches + 1
            case b"BTS":
                warnings += _differs(piece, "BTS-1", {of_batch})
                of_batch = 0
            case b"FTS":
                warnings += _differs(piece, "FTS-1", {batches} if batches else {1, of_file})
            case _:
                of_batch, of_file = of_batch + 1, of_file + 1
                yield piece


def _pieces(chunks: Iterable[bytes], longest: int) -> Iterator[bytes]:
    held = b""
    for chunk in chunks:
        *whole, held = _cut(held + chunk)
        yield from filter(None, map(bare, whole))
        if len(held) > longest:
            raise Refused("BODY_TOO_LARGE", f"a message of more than {longest} bytes")
    yield from filter(None, [bare(held)])


def _cut(held: bytes) -> list[bytes]:
    starts = [found.start() for found in _BEGINNING.finditer(held)]
    bounds = [0, *(start for start in starts if start), len(held)]
    return [held[start:end] for start, end in pairwise(bounds)]


def _differs(piece: bytes, place: str, right: set[int]) -> Iterator[Warned]:
    """Yield a warning if an envelope's end counts otherwise; one that does not count says nothing."""
    said = re.match(rb"\s*(\d{1,9})", re.split(rb"[\r\n]", piece[4:], maxsplit=1)[0])
    if said is not None and int(said[1]) not in right:
        yield Warned(BATCH_COUNT_DIFFERS, place)
