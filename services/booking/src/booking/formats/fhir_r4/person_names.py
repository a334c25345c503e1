"""Which of the names in a FHIR list is a person's now, and its parts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from booking.formats.fhir_r4.periods import is_current

_BY_USE = ("official", "usual", None, "temp", "nickname")
"""Best first. A maiden, an old and an anonymous name greet nobody."""

_TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "sir", "dame", "herr", "frau", "mme", "mlle", "sr", "sra", "dhr"}
    | {"mevr", "sig", "sra", "pan", "pani"}
)
"""Before a name in one text; with a dot or without, no part of it."""

_SUFFIXES = frozenset({"jr", "sr", "ii", "iii", "iv", "md", "phd", "do", "rn", "esq", "dds", "mbbs"})
"""After a comma these say no first name."""


def parts_of(names: Sequence[Any] | None, now: datetime) -> tuple[str | None, str | None]:
    """Return first given name and family name of the name that is valid now and fits best."""
    best = _best(names, now)
    if best is None:
        return None, None
    given = next((one for one in best.given or [] if one), None)
    return (given, best.family) if given or best.family else split(best.text)


def full_name(names: Sequence[Any] | None, now: datetime) -> str | None:
    """Return the name that is valid now and fits best, in one line."""
    best = _best(names, now)
    if best is None:
        return None
    parts = [*(best.prefix or []), *(best.given or []), best.family]
    return best.text or " ".join(part for part in parts if part) or None


def split(text: str) -> tuple[str | None, str | None]:
    """Return first name and family name in a name that is one text: `Meier, Anna` or `Dr. Anna Meier`.

    One word alone is taken as the first name: it is what the person is called by.
    """
    family, comma, given = text.partition(",")
    if comma and given.strip() and given.strip().casefold().rstrip(".") not in _SUFFIXES:
        first, *_ = _without_titles(given)
        return first, family.strip() or None
    first, *rest = _without_titles(family)
    return first, " ".join(rest) or None


def _without_titles(text: str) -> list[str]:
    words = text.split() or [text]
    while len(words) > 1 and words[0].casefold().rstrip(".") in _TITLES:
        words.pop(0)
    return words


def _best(names: Sequence[Any] | None, now: datetime) -> Any:
    usable = [n for n in names or [] if n.use in _BY_USE and is_current(n.period, now)]
    usable = [n for n in usable if any(n.given or []) or n.family or n.text]
    return min(usable, key=lambda n: _BY_USE.index(n.use), default=None)
