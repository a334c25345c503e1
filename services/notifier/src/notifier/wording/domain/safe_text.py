"""Names made harmless: people are called many things, and some records are called worse."""

import unicodedata
from functools import lru_cache

LONGEST_NAME = 60
LONGEST_TITLE = 80
_JOINERS = frozenset("\u200c\u200d")
"""Zero-width (non-)joiner: invisible, but letters of several scripts need them."""
_IN_NAMES = frozenset(" '-.\u2019\u2010\u00b7")
"""Space, apostrophes, hyphens, dot, and the middle dot of Catalan."""


def plain(text: str | None, limit: int = LONGEST_TITLE) -> str:
    """Return the text on one line without control, bidi and other invisible characters, cut to `limit`.

    The marks of an encoded word (`=?…?=`, RFC 2047) go too: some mail readers decode it even where it
    may not stand, and find the line break that it hides.
    """
    return _plain((text or "")[: limit * 20], limit)


@lru_cache(maxsize=8192)
def _plain(text: str, limit: int) -> str:
    if text.isascii() and text.isprintable() and "=" not in text:
        line = " ".join(text.split())
    else:
        kept = [_plain_character(character) for character in unicodedata.normalize("NFC", text)]
        line = " ".join("".join(kept).replace("=?", " ").replace("?=", " ").split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def clipped(text: str, limit: int) -> str:
    """Return the text cut to `limit`, between words where it can be, and without a mark that it was cut."""
    if len(text) <= limit:
        return text
    head = text[: limit + 1].rpartition(" ")[0]
    return (head or text[:limit]).rstrip(" -,.'\u2019")


def first_name(given_name: str | None) -> str:
    """Return a first name made of letters alone and what joins them; empty if nothing is left (D35).

    Braces, angle brackets, slashes and the dot of an address are no part of a name, so neither
    template syntax, nor HTML, nor a link survives.
    """
    return _letters(plain(given_name, LONGEST_NAME))


@lru_cache(maxsize=8192)
def _letters(line: str) -> str:
    kept = "".join(c for c in line if c in _IN_NAMES or c in _JOINERS or unicodedata.category(c)[0] in "LM")
    words = [word.replace(".", "") if "." in word[:-1] else word for word in kept.split()]
    return " ".join(filter(None, words)).strip(" -'\u2019")


def full_name(given_name: str | None, family_name: str | None) -> str:
    """Return the name as a provider reads it; empty if neither part is known."""
    return plain(f"{given_name or ''} {family_name or ''}", LONGEST_TITLE)


def _plain_character(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Zs", "Zl", "Zp"} or character in "\t\r\n":
        return " "
    return "" if category[0] == "C" and character not in _JOINERS else character
