"""The lines of a file as it is read: no more of it is in memory than a chunk and the longest line."""

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

LONGEST = 1024 * 1024
"""Bytes of a line; whatever is longer is none, and is passed over to its end."""


class Line(NamedTuple):
    """A line of a file.

    Attributes:
        number: From 1.
        text: With its end; None: it is longer than any can be.
    """

    number: int
    text: bytes | None


def lines_of(chunks: Iterable[bytes], longest: int = LONGEST) -> Iterator[Line]:
    """Yield the lines of a file; they end in CR, LF or both."""
    held, number, is_too_long = b"", 0, False
    for chunk in chunks:
        *whole, held = (held + chunk).splitlines(keepends=True) or [b""]
        for text in whole:
            number += 1
            yield Line(number, None if is_too_long or len(text) > longest else text)
            is_too_long = False
        if len(held) > longest:
            held, is_too_long = held[-1:], True
    if held or is_too_long:
        yield Line(number + 1, None if is_too_long else held)


def as_utf8(chunks: Iterable[bytes], encoding: str = "auto") -> Iterator[bytes]:
    """Yield a file of 16 or 32 bits a character as utf-8, and any other as it is.

    Args:
        encoding: `auto`: what its first bytes say.
    """
    left = iter(chunks)
    first = next(left, b"")
    wide = wide_of(first, encoding)
    if wide is None:
        yield from chain((first,), left)
        return
    decoder = codecs.getincrementaldecoder(wide)("replace")
    for chunk in chain((first,), left):
        yield decoder.decode(chunk).encode("utf-8", "replace")
    yield decoder.decode(b"", final=True).encode("utf-8", "replace")


def wide_of(first: bytes, encoding: str) -> str | None:
    """Return the encoding of a file that has more than one byte for each letter of English; None: it has one.

    Args:
        first: Its first bytes.
    """
    if encoding != "auto":
        return encoding if len("A".encode(encoding)) > 1 else None
    return "utf-16" if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else None
