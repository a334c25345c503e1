"""What a text means by itself (D36, B11; decision 0040).

| the first line, without its decoration | meaning |
|---|---|
| a word of `stop`, and nothing that makes another sentence of it | STOP |
| the same, and more is said, also before it: "I want to unsubscribe" | STOP, and staff look (SAID_MORE) |
| any; but a line or clause of the text is a word of `stop` alone | STOP, and staff look (SAID_MORE) |
| only a word of `stop_alone` | STOP; a bare CANCEL may mean the visit, so staff look |
| only a word of `start` or `help` | that |
| only a word of `confirm` or `cancel`, with or without a code | that |
| anything else, and all that is in doubt | for staff; nothing is stopped |

Decoration is what says nothing: signs and emoji, polite words and numbers. A phone's signature and what is below it
are not read. What starts, helps, confirms or cancels is one line.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from notifier.replies.domain.keywords import AMBIGUOUS, KEYWORDS, SIGNATURES

LONGEST_TEXT = 1_000
"""Characters kept for staff; an SMS of ten segments has 1,530."""

_SPELT = str.maketrans({"\u0142": "l", "\u00f8": "o", "\u0640": None, "'": None, "\u2019": None})
_CODE = re.compile(r"(?P<word>.*?)\s*(?P<code>\d{4})")
_ENDS_SENTENCE = re.compile(r"[.!,;:\u060c\u061b]|\s[-\u2013\u2014]+\s")


class Meaning(StrEnum):
    """What an answer says by itself."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PatientReply:
    """An answer, read.

    Attributes:
        code: The four digits given with it, if any.
        ambiguous: It may mean a visit: staff should look at it too.
        said_more: It stops the messages, and says something else that staff should read.
    """

    meaning: Meaning
    code: str | None = None
    ambiguous: bool = False
    said_more: bool = False


def read(text: str, carrier_says: Meaning | None = None) -> PatientReply:
    """Return what a text means.

    Args:
        carrier_says: STOP, START or HELP if the carrier has acted on it already (Twilio's OptOutType): then so do we.
    """
    lines = _unsigned(text[:LONGEST_TEXT])
    first = lines[0] if lines else ""
    words = _without_polite(plain(first))
    bare = _without_decoration(words)
    if carrier_says is not None:
        return PatientReply(carrier_says, ambiguous=bare in AMBIGUOUS)
    found = _CODE.fullmatch(words)
    word, code = (found["word"], found["code"]) if found else (words, None)
    if code and word in _CANCEL and len(lines) == 1:
        return PatientReply(Meaning.CANCEL, code)
    if stops := _stops(lines):
        return stops
    if len(lines) > 1:
        return PatientReply(Meaning.OTHER)
    if bare in _START:
        return PatientReply(Meaning.START)
    if bare in _HELP:
        return PatientReply(Meaning.HELP)
    if word in _CONFIRM:
        return PatientReply(Meaning.CONFIRM, code)
    if word in _CANCEL:
        return PatientReply(Meaning.CANCEL, code)
    return PatientReply(Meaning.OTHER)


def plain(text: str) -> str:
    """Return the words in lower case without accents, with one blank between them; digits are ASCII's."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_SPELT)).casefold().translate(_SPELT)
    bare = (c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join("".join(_sign(c) for c in bare).split())


def _unsigned(text: str) -> list[str]:
    """Return the lines that say something, down to a signature."""
    said: list[str] = []
    for line in text.splitlines():
        if said and (line.strip().startswith("--") or plain(line).startswith(SIGNATURES)):
            break
        if plain(line):
            said.append(line)
    return said


def _sign(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return character if character.isalpha() else " "


def _stops(lines: list[str]) -> PatientReply | None:
    """Return the STOP that a text is, or None."""
    if not lines:
        return None
    words = _calm(plain(lines[0]))
    bare = _without_decoration(words)
    if bare in _STOP or bare in _STOP_ALONE:
        return PatientReply(Meaning.STOP, ambiguous=bare in AMBIGUOUS, said_more=len(lines) > 1)
    begins = _begins_with_stop(words)
    if (_begins_with_stop(bare) if begins is None else begins) or any(map(_is_stop, lines)):
        return PatientReply(Meaning.STOP, said_more=True)
    return None


def _is_stop(line: str) -> bool:
    """Say whether one of the line's clauses is a stop word and nothing else: "no, stop"."""
    clauses = _ENDS_SENTENCE.split(line.strip(" *\"'"))
    return any(_without_decoration(_calm(plain(clause))) in _STOP for clause in clauses)


def _begins_with_stop(words: str) -> bool | None:
    """Say whether what begins with a stop word means it, or is another sentence; None: it begins with none.

    Before it may stand what asks for it.
    """
    said = words
    while (after := _after(said, _BEFORE)) is not None:
        said = after
    rest = _after(said, _STOP)
    if rest is None:
        return None
    return rest not in _NEGATION and _after(re.sub(r"\d+", "#", rest), _ELSEWHERE) is None


def _after(words: str, phrases: Iterable[str]) -> str | None:
    """Return what follows the longest phrase that the words begin with; None: they begin with none."""
    begun = [phrase for phrase in phrases if f"{words} ".startswith(f"{phrase} ")]
    return words[len(max(begun, key=len)) :].strip() if begun else None


def _calm(words: str) -> str:
    """Return the words with letters that somebody held down said once: stoppppp."""
    return re.sub(r"([a-z])\1{2,}", r"\1", words)


def _without_decoration(words: str) -> str:
    """Return the words without polite ones and numbers at both ends, and one of a word that is said repeatedly."""
    stripped = re.sub(r"(?<=[a-z])(?=\d)", " ", words)
    while (shorter := _trimmed(stripped)) != stripped and shorter:
        stripped = shorter
    said = stripped.split()
    return said[0] if said and set(said) == {said[0]} else stripped


def _without_polite(words: str) -> str:
    """Return the words without polite ones at both ends; numbers stay, for one may be a code."""
    while (shorter := _trimmed(words, str.isspace)) != words and shorter:
        words = shorter
    return words


def _trimmed(words: str, is_decoration: Callable[[str], bool] = str.isdecimal) -> str:
    said = words.split()
    for length in (3, 2, 1):
        head, tail = " ".join(said[:length]), " ".join(said[-length:])
        if len(said) > length and (tail in _POLITE or is_decoration(tail)) and words not in _ALL:
            return " ".join(said[:-length])
        if len(said) > length and (head in _POLITE or is_decoration(head)) and words not in _ALL:
            return " ".join(said[length:])
    return words


def _listed(name: str) -> frozenset[str]:
    """Return what all languages have under this name."""
    entries = (entry for each in KEYWORDS.values() for entry in getattr(each, name).split(",") if entry)
    return frozenset(plain(entry.replace("#", "0")).replace("0", "#") for entry in entries)


_STOP, _STOP_ALONE, _BEFORE = _listed("stop"), _listed("stop_alone"), _listed("before")
_ELSEWHERE, _NEGATION = _listed("elsewhere"), _listed("negation")
_START, _HELP, _POLITE = _listed("start"), _listed("help"), _listed("polite")
_CONFIRM, _CANCEL = _listed("confirm"), _listed("cancel")
_ALL = _STOP | _STOP_ALONE | _START | _HELP
