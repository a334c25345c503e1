r"""What an escape sequence of HL7 v2 means, such as `\F\` for the field separator."""

import re
from typing import NamedTuple

HEX = re.compile(r"[Xx]((?:[0-9A-Fa-f]{2})+)")
BREAK = re.compile(r"\.(?:br|sp\d*|ce)")
MEANS_NOTHING = re.compile(r"[HN]|\.(?:fi|nf|in[+-]?\d*|ti[+-]?\d*|sk\d*)|C[0-9A-F]{4}|M[0-9A-F]{4,6}")
"""Bold on and off, indents, and switches to character sets of two bytes."""


class Encoding(NamedTuple):
    """How a message is written (MSH-1, MSH-2): a mark that its sender has none of is empty.

    Attributes:
        codec: Python's name of the character set.
    """

    field: str
    component: str = ""
    repetition: str = ""
    escape: str = ""
    sub: str = ""
    truncation: str = ""
    codec: str = "utf-8"


def plain(written: str, encoding: Encoding) -> str:
    """Return what was meant. What is no escape sequence stays as it stands, such as the path of a file."""
    mark = encoding.escape
    if not mark or mark not in written:
        return written
    first, *rest = written.split(mark)
    found = [first.encode()]
    while rest:
        meant = _meant(rest[0], encoding) if len(rest) > 1 else None
        if meant is None:
            found.append((mark + rest.pop(0)).encode())
        else:
            found.append(meant)
            found.append(rest[1].encode())
            del rest[:2]
    return _joined(found, encoding)


class _Bytes(bytes):
    """Bytes of the message's own character set: several sequences may make one character."""


def _meant(sequence: str, encoding: Encoding) -> bytes | None:
    if (found := HEX.fullmatch(sequence)) is not None:
        return _Bytes(bytes.fromhex(found[1]))
    marks = {"F": encoding.field, "S": encoding.component, "R": encoding.repetition, "T": encoding.sub}
    marks |= {"E": encoding.escape, "P": encoding.truncation or "#"}
    if sequence in marks:
        return marks[sequence].encode()
    if BREAK.fullmatch(sequence):
        return b"\n"
    return b"" if MEANS_NOTHING.fullmatch(sequence) else None


def _joined(pieces: list[bytes], encoding: Encoding) -> str:
    found, of_charset = [], b""
    for piece in pieces:
        if isinstance(piece, _Bytes):
            of_charset += piece
        elif piece:
            found += [_decoded(of_charset, encoding.codec), piece.decode()]
            of_charset = b""
    return "".join([*found, _decoded(of_charset, encoding.codec)])


def _decoded(written: bytes, codec: str) -> str:
    for one in (codec, "utf-8"):
        try:
            return written.decode(one)
        except UnicodeDecodeError:
            continue
    return written.decode("windows-1252", "replace")
