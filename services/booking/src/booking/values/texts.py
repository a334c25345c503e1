"""What a text from outside may hold.

Names go into mail headers, messages and pages. What nobody sees (zero-width spaces, soft hyphens, byte order marks,
marks of direction) is taken out of a name; what could break out of a header or turn a line around is refused; template
syntax and HTML are plain text, which whoever renders it escapes: a person may be called `{{name}}` or `<b>` and must
get his reminder all the same.
"""

import re
import unicodedata

from booking.values.refusals import Refused

LONGEST_NAME = 200
LONGEST_ID = 200

_ENCODED_WORD = re.compile(r"=\?[^?\s]+\?[bBqQ]\?[^?\s]*\?=")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_JOINERS = frozenset("\u200c\u200d")  # part of the spelling in Persian and in several Indian scripts
_BREAK = re.compile(r"\r\n|\r|\n")
_GAP = re.compile(r"\n{3,}")
_PLAIN = re.compile(r"[ -<>-~]*")  # ASCII without `=`: nothing in it can be wrong


def name(text: str, place: str, longest: int = LONGEST_NAME) -> str:
    """Return the text in normal form C, without blanks at its ends and without what nobody sees.

    Raises:
        Refused: CONTROL_CHARACTER (line breaks too), BIDI_CHARACTER, HEADER_INJECTION for an encoded
            word of RFC 2047, FIELD_TOO_LONG, EMPTY_TEXT.
    """
    return _checked(seen(text), place, longest)


def lines(text: str, place: str, longest: int) -> str:
    """Return a text of several lines as `name` does one, without lines that are empty at its ends or beside another.

    Raises:
        Refused: As `name`, but for the line breaks.
    """
    if len(text) > longest:
        raise Refused("FIELD_TOO_LONG", f"at most {longest} characters", place)
    kept = [_checked(line, place, longest) if line.strip() else "" for line in _BREAK.split(seen(text))]
    found = _GAP.sub("\n\n", "\n".join(kept)).strip("\n")
    if not found:
        raise Refused("EMPTY_TEXT", "holds nothing but blanks", place)
    return found


def identifier(text: str, place: str) -> str:
    """Return an id of another system, as it stands.

    Raises:
        Refused: As `name`; an id with blanks at its ends is EMPTY_TEXT's kin, PADDED_ID.
    """
    if _checked(text, place, LONGEST_ID) != text:
        raise Refused("PADDED_ID", "has blanks at its ends, or is not in normal form C", place)
    return text


def seen(text: str) -> str:
    """Return the text without what nobody sees; what turns the direction of writing stays, and so do joiners."""
    return text if _PLAIN.fullmatch(text) else "".join(one for one in text if not _is_invisible(one))


def _checked(text: str, place: str, longest: int) -> str:
    if len(text) > longest:
        raise Refused("FIELD_TOO_LONG", f"at most {longest} characters", place)
    if not _PLAIN.fullmatch(text):
        _check_characters(text, place)
        text = unicodedata.normalize("NFC", text)
    text = text.strip()
    if not text.strip("\u200c\u200d"):
        raise Refused("EMPTY_TEXT", "holds nothing but blanks", place)
    return text


def _is_invisible(character: str) -> bool:
    return (
        not character.isprintable()
        and unicodedata.category(character) == "Cf"
        and character not in _JOINERS
        and character not in _BIDI
    )


def _check_characters(text: str, place: str) -> None:
    if _ENCODED_WORD.search(text):
        raise Refused("HEADER_INJECTION", "holds an encoded word (=?…?=)", place)
    for character in text:
        if character in _BIDI:
            raise Refused("BIDI_CHARACTER", "holds a character that turns the direction of writing", place)
        kind = unicodedata.category(character)
        if kind in {"Cc", "Cs", "Zl", "Zp"} or (kind == "Cf" and character not in _JOINERS):
            raise Refused("CONTROL_CHARACTER", "holds a control character", place)
