"""In which character set a message is written: as the profile says, else as MSH-18 does, else as its bytes do."""

import re
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from booking.values.refusals import Refused
from booking.values.warned import CHARSET_DIFFERS, Warned

UTF_8, WINDOWS = "utf-8", "cp1252"
_PLACE = "MSH-18"

_CODECS = {
    "ASCII": "ascii", "USASCII": "ascii", "IR6": "ascii", "ANSI": WINDOWS,
    "UNICODE": UTF_8, "UNICODEUTF8": UTF_8, "UTF8": UTF_8,
    "UNICODEUTF16": UTF_8, "UTF16": UTF_8, "UNICODEUTF32": UTF_8, "UTF32": UTF_8,
    "IR100": "iso8859-1", "LATIN1": "iso8859-1", "LATIN2": "iso8859-2", "LATIN9": "iso8859-15",
    "IR14": "iso2022_jp_2", "IR87": "iso2022_jp_2", "IR159": "iso2022_jp_2",
    "SHIFTJIS": "cp932", "GB180302000": "gb18030", "GB18030": "gb18030", "GBK": "gb18030", "GB2312": "gb18030",
    "KSX1001": "cp949", "EUCKR": "cp949", "BIG5": "big5hkscs",
    "CP437": "cp437", "IBM437": "cp437", "CP850": "cp850", "IBM850": "cp850",
}  # fmt: skip
"""Table 0211 and what is written in its stead, in capital letters and digits alone.

Bytes in which MSH can be read are not UTF-16, whatever they say: what is, `bare` has turned into UTF-8.
"""

_OF_ONE_BYTE = ("iso8859", "cp125")
_C1 = re.compile("[\x80-\x9f]")
"""Control characters that no text has: a sign that the bytes are of another set."""


class Text(NamedTuple):
    """A body as text.

    Attributes:
        codec: Python's name of the character set that it was read in.
    """

    text: str
    codec: str
    warnings: Sequence[Warned] = ()


def codec_of(charset: str) -> str | None:
    """Return Python's name of a character set by any of its usual names, in any case; None if it is unknown."""
    name = re.sub(r"[^A-Z0-9]", "", charset.upper()).removeprefix("ISO")
    if (latin := re.fullmatch(r"8859([1-9]|1[013456])", name)) is not None:
        return f"iso8859-{latin[1]}"
    if (windows := re.fullmatch(r"(?:WINDOWS|CP)?(125[0-8])", name)) is not None:
        return f"cp{windows[1]}"
    return _CODECS.get(name)


def bare(body: bytes) -> bytes:
    """Return a body without its byte order mark, frame, NULs, and blanks around it; UTF-16 as UTF-8."""
    if body.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) or body[:6] in {b"M\0S\0H\0", b"\0M\0S\0H"}:
        codec = "utf-16" if body[:1] in b"\xff\xfe" else "utf-16-le" if body[1:2] == b"\0" else "utf-16-be"
        body = body.decode(codec, "replace").encode()
    written = body.replace(b"\0", b"").strip(b"\x0b\x1c\r\n\t ")
    return written.removeprefix(BOM_UTF8).lstrip(b"\x0b\r\n\t ")


def text_of(body: bytes, charset: str | None) -> Text:
    """Return a bare message as text.

    Args:
        charset: What its source's profile says, if anything: it is believed before MSH-18.

    Raises:
        Refused: BAD_CHARSET.
    """
    declared = _declared(body)
    wanted = codec_of(charset or declared)
    if charset and wanted is None:
        raise Refused("BAD_CHARSET", "no character set that is known here, such as 8859/1", "charset")
    if body.isascii() and b"\x1b" not in body:
        return Text(body.decode("ascii"), wanted or UTF_8)
    for codec in _likely(body, charset, declared):
        if (text := _decoded(body, codec)) is not None:
            warned = codec != wanted and (codec != UTF_8 or bool(charset or declared))
            return Text(text, codec, [_differs(codec, charset, declared)] if warned else ())
    raise Refused("BAD_CHARSET", "the bytes are of no character set; say the right one in MSH-18", _PLACE)


def _declared(body: bytes) -> str:
    header = re.split(rb"[\r\n]", body, maxsplit=1)[0]
    fields = header.split(header[3:4] or b"|")
    repetition = fields[1][1:2] if len(fields) > 1 else b""
    written = fields[17] if len(fields) > 17 else b""
    sets = written.split(repetition) if repetition else [written]
    return (sets[1] if len(sets) > 1 and sets[1].strip() else sets[0]).decode("ascii", "replace").strip()


def _likely(body: bytes, charset: str | None, declared: str) -> Iterator[str]:
    """Yield what it may be, best first: what is declared, unless the bytes show that they are UTF-8 all the same."""
    if charset and (codec := codec_of(charset)) is not None:
        yield codec
    if (codec := codec_of(declared)) is not None and not _is_utf8(body, codec):
        yield codec
    yield UTF_8
    yield WINDOWS


def _is_utf8(body: bytes, declared: str) -> bool:
    text = _decoded(body, UTF_8)
    if text is None or not declared.startswith(_OF_ONE_BYTE):
        return False
    as_declared = _decoded(body, declared)
    return as_declared is None or _C1.search(as_declared) is not None or _fits(text, declared)


def _fits(text: str, codec: str) -> bool:
    try:
        text.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _decoded(body: bytes, codec: str) -> str | None:
    try:
        text = body.decode(codec)
    except UnicodeDecodeError:
        return None
    return None if codec == "iso8859-1" and _C1.search(text) else text


def _differs(codec: str, charset: str | None, declared: str) -> Warned:
    said = "MSH-18 is untrue of" if declared else "MSH-18 names no charset for"
    said = "the profile's charset is not that of" if charset else said
    detail = f"{said} these bytes; they were read as {codec}: mend MSH-18, or say the charset in the source's profile"
    return Warned(CHARSET_DIFFERS, _PLACE, detail)
