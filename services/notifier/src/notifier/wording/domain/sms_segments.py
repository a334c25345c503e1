"""How many SMS a text takes: 160 characters of the GSM alphabet, or 70 of UCS-2 as soon as one is outside it.

Source of the alphabet: 3GPP TS 23.038, 6.2.1 (default alphabet) and 6.2.1.1 (extension, two septets a character).
Source of the lengths: 3GPP TS 23.040, 9.2.3.24.1: in a message of several parts each gives six octets to its header,
which leaves 153 septets or 67 units. A pair of an extension or of surrogates is never split over two parts.
"""

from dataclasses import dataclass
from typing import Literal

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet: one septet each."""

GSM_EXTENSION = frozenset("\f^{}\\[~]|€")
"""Two septets each: an escape and the character."""

_ALIKE = str.maketrans(
    {
        "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201c": '"', "\u201d": '"', "\u201e": '"',
        "\u00ab": '"', "\u00bb": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-",
        "\u2212": "-", "\u2026": "...", "\u00b7": ".", "\u00a0": " ", "\u2009": " ", "\u202f": " ",
    }
)  # fmt: skip
"""Marks of typography that say the same in the GSM alphabet. Letters are left alone: a name is spelled as it is."""


@dataclass(frozen=True, slots=True)
class Segments:
    """What a text takes.

    Attributes:
        alphabet: `GSM-7`, or `UCS-2` when a character is not of the GSM alphabet.
        units: Septets, or 16-bit units.
        count: Messages that are paid for; 0 for an empty text.
        outside: The characters that made it UCS-2, each once, as they come.
    """

    alphabet: Literal["GSM-7", "UCS-2"]
    units: int
    count: int
    outside: str = ""


def segments(text: str) -> Segments:
    """Return how many messages the text takes, and in which alphabet."""
    outside = "".join(dict.fromkeys(c for c in text if c not in GSM and c not in GSM_EXTENSION))
    if outside:
        sizes = [2 if ord(character) > 0xFFFF else 1 for character in text]
        return Segments("UCS-2", sum(sizes), _parts(sizes, single=70, several=67), outside)
    sizes = [2 if character in GSM_EXTENSION else 1 for character in text]
    return Segments("GSM-7", sum(sizes), _parts(sizes, single=160, several=153))


def without_typography(text: str) -> str:
    """Return the text with its quotes, dashes and spaces as the GSM alphabet has them."""
    return text.translate(_ALIKE)


def _parts(sizes: list[int], single: int, several: int) -> int:
    if sum(sizes) <= single:
        return 1 if sizes else 0
    count, used = 1, 0
    for size in sizes:
        if used + size > several:
            count, used = count + 1, 0
        used += size
    return count
