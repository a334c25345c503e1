"""The status words of booking systems, and what class each is of; a source's own come before them (0059)."""

import re
from collections.abc import Iterable, Mapping

from booking.profiles.domain import Word

_WORDS: Mapping[Word, str] = {
    Word.PENDING: "pending requested proposed hold tentative",
    Word.WAITLIST: "waitlist waitlisted",
    Word.BOOKED: "booked scheduled sch rescheduled reserved overbook new accepted unconfirmed gebucht planifié",
    Word.CONFIRMED: "confirmed conf confirmé bestätigt",
    Word.ARRIVED: "arrived arr",
    Word.STARTED: "started checkedin chkin roomed inprogress",
    Word.COMPLETE: "complete completed checkedout fulfilled kept seen attended show",
    Word.CANCELLED: (
        "cancelled canceled can cancel latecancelled latecanceled rejected declined discontinued dc annulé abgesagt"
    ),
    Word.DELETED: "deleted error",
    Word.NO_SHOW: "noshow ns dna didnotattend didnotarrive missed",
    Word.BLOCKED: "blocked",
}

_IGNORED_IN_WORDS = re.compile(r"[\s./_-]+")


def folded(word: str) -> str:
    """Return a status word as it is compared: `No-Show` and `NO SHOW` are one."""
    return _IGNORED_IN_WORDS.sub("", word).casefold()


_CANCELLED_BY = ("cancelledby", "canceledby")
"""Whoever did it, it is off."""

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
    for known in (mine, KNOWN_WORDS):
        for text in said:
            if text in known:
                return known[text], False
    if any(text.startswith(_CANCELLED_BY) for text in said):
        return Word.CANCELLED, False
    return None, any(said)
