"""The status words of booking systems, and what class each is of; a source's own come before them (0059)."""

import re
from collections.abc import Iterable, Mapping

from booking.profiles.domain import Word

_WORDS: Mapping[Word, str] = {
    Word.PENDING: "pending requested proposed hold tentative",
    Word.WAITLIST: "waitlist waitlisted",
    Word.BOOKED: "booked scheduled sch rescheduled reserved overbook new accepted unconfirmed"
    " gebucht geplant planifié gepland",
    Word.CONFIRMED: "confirmed conf confirmé bestätigt bevestigd",
    Word.ARRIVED: "arrived arr",
    Word.STARTED: "started checkedin checkin chkin roomed inprogress",
    Word.COMPLETE: "complete completed comp checkedout checkout fulfilled kept seen attended show",
    Word.CANCELLED: "cancelled canceled can canc cancel cxl latecancelled latecanceled rejected declined bumped"
    " discontinued dc annulé annulée abgesagt storniert geannuleerd afgezegd",
    Word.DELETED: "deleted error",
    Word.NO_SHOW: "noshow ns dna didnotattend didnotarrive missed nichterschienen nietverschenen",
    Word.BLOCKED: "blocked",
}

_IGNORED_IN_WORDS = re.compile(r"[\s./_-]+")

_BEGINNINGS = (
    (re.compile(r"cancel(?!.*(?:request|pending|undo|error|reinstat|revers|revo|withdraw))"), Word.CANCELLED),
    (re.compile(r"(?:noshow|didnotattend|didnotarrive)"), Word.NO_SHOW),
)
"""What a practice's own word begins with that ends a visit, whatever it says of by whom or why."""


def folded(word: str) -> str:
    """Return a status word as it is compared: `No-Show` and `NO SHOW` are one."""
    return _IGNORED_IN_WORDS.sub("", word).casefold()


KNOWN_WORDS: Mapping[str, Word] = {text: word for word, texts in _WORDS.items() for text in texts.split()}
"""Folded status word → its class."""


def word_of(written: Iterable[str], own: Mapping[str, Word]) -> tuple[Word | None, bool]:
    """Return the class of a status word, and whether something was written that is of no class.

    Args:
        written: What stands where the word may be, best first; empty texts say nothing.
        own: The source's own words, which come before all others.
    """
    mine = {folded(text): word for text, word in own.items()}
    said = [folded(text) for text in written if text and text != '""']
    found = [*(mine.get(text) for text in said), *map(_class_of, said)]
    return next((word for word in found if word is not None), None), any(said) and not any(found)


def _class_of(text: str) -> Word | None:
    begun = (word for beginning, word in _BEGINNINGS if beginning.match(text))
    return KNOWN_WORDS.get(text) or next(begun, None)
