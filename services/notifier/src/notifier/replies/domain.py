"""What a patient's short answer means, and which visit it is about (D36, B11).

An answer is understood only if it is nothing but one of the words below, with or without a code; everything else is
for staff. Words that revoke consent are taken in every language at once: nobody chooses the language of his STOP.

Sources: 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel and unsubscribe; Twilio's default words
are STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT and START, YES, UNSTOP (support article "Twilio support for opt-out
keywords"); ARRET is the word of Canadian carriers' rules (CWTA), STOP that of the French, German and Dutch ones. The
other German, Dutch and French words are the plain imperatives of those languages.

A bare CANCEL is both: the law reads it as STOP, a patient may mean his visit. It stops the messages and goes to staff,
and never cancels a visit.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from schemas.appointments import Status

STOP = frozenset(
    {"stop", "stopall", "stop all", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "opt out"}  # en
    | {"stopp", "abmelden", "abbestellen", "austragen"}  # de
    | {"afmelden", "uitschrijven", "stoppen"}  # nl
    | {"arret", "desabonner", "desinscrire"}  # fr
)
START = frozenset({"start", "unstop", "subscribe", "resume", "optin", "opt in", "anmelden", "aanmelden"})
CONFIRM = frozenset({"c", "yes", "y", "confirm", "ok", "ja", "j", "bestatigen", "bevestigen", "oui"})
CANCEL = frozenset({"x", "cancel", "absagen", "storno", "annuleren", "annuler"})
"""Only with its code. Alone, `cancel` is in STOP, and the others are for staff."""
AMBIGUOUS = frozenset({"cancel"})
"""Stops the messages, and staff look whether the visit was meant."""

WRONG_CODES_AN_HOUR = 5
"""Of a number: of 10,000 codes it may try 120 a day, each of them seen by staff."""
LONGEST_TEXT = 1_000
"""Characters kept for staff; an SMS of ten segments has 1,530."""
_CODE = re.compile(r"(?P<word>.*?)\s*#?(?P<code>\d{4})")


class Meaning(StrEnum):
    """What an answer says by itself."""

    STOP = "stop"
    START = "start"
    CONFIRM = "confirm"
    CANCEL = "cancel"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PatientReply:
    """An answer, read.

    Attributes:
        code: The four digits given with it, if any.
        ambiguous: Staff should look at it too.
    """

    meaning: Meaning
    code: str | None = None
    ambiguous: bool = False


class Why(StrEnum):
    """Why an answer is on the staff's list."""

    NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
    NO_VISIT = "NO_VISIT"
    SEVERAL_VISITS = "SEVERAL_VISITS"
    NO_CODE = "NO_CODE"
    WRONG_CODE = "WRONG_CODE"
    REPLIES_OFF = "REPLIES_OFF"
    MAY_MEAN_VISIT = "MAY_MEAN_VISIT"
    STOPPED_LATER = "STOPPED_LATER"
    TOO_MANY_CODES = "TOO_MANY_CODES"
    UNKNOWN_SENDER = "UNKNOWN_SENDER"


@dataclass(frozen=True, slots=True)
class Messaged:
    """A visit that this address was written to about, as it is now."""

    appointment_id: UUID
    patient_id: UUID
    clinic_id: str
    status: Status
    starts_at: datetime | None
    told_gen: int
    schedule_gen: int
    reachable: bool
    replies: bool
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an answer.

    Attributes:
        visit: The one it is about; None if that is not certain.
        why: Why staff must look; None if they need not.
    """

    visit: Messaged | None = None
    why: Why | None = None


def read(text: str, carrier_says: Meaning | None = None) -> PatientReply:
    """Return what a text means.

    Args:
        carrier_says: STOP or START if the carrier has acted on it already (Twilio's OptOutType): then so do we.
    """
    words = _plain(text)
    found = _CODE.fullmatch(words)
    word, code = (found["word"].strip(), found["code"]) if found else (words, None)
    if carrier_says is not None:
        return PatientReply(carrier_says, ambiguous=word in AMBIGUOUS)
    if code is None and word in STOP:
        return PatientReply(Meaning.STOP, ambiguous=word in AMBIGUOUS)
    if code is None and word in START:
        return PatientReply(Meaning.START)
    if word in CONFIRM:
        return PatientReply(Meaning.CONFIRM, code)
    if word in CANCEL:
        return PatientReply(Meaning.CANCEL, code)
    return PatientReply(Meaning.OTHER)


def resolve(answer: PatientReply, messaged: Sequence[Messaged], now: datetime) -> Verdict:
    """Return the one visit that an answer to confirm or cancel is about, or why that is for staff to find out.

    A visit comes into question if it is booked, ahead, and the patient was told of its time as it is now at the
    address that still is his. To confirm, one such visit or its code is enough; to cancel, the code is needed. And
    the clinic must have said that it wants answers to be acted on.

    Args:
        answer: CONFIRM or CANCEL.
    """
    found = _found(answer, [one for one in messaged if _stands(one, now)])
    if found.visit is not None and found.why is None and not found.visit.replies:
        return Verdict(found.visit, Why.REPLIES_OFF)
    return found


def concerned(messaged: Sequence[Messaged], now: datetime) -> tuple[str, ...]:
    """Return the clinics that an answer may be meant for: those of visits that stand, else all that wrote."""
    ahead = [one for one in messaged if _stands(one, now)]
    return tuple(sorted({one.clinic_id for one in ahead or messaged}))


def about(messaged: Sequence[Messaged], now: datetime) -> Messaged | None:
    """Return the only visit that stands, else the only one there is; None if that is not certain."""
    ahead = [one for one in messaged if _stands(one, now)] or list(messaged)
    return ahead[0] if len(ahead) == 1 else None


def _found(answer: PatientReply, ahead: Sequence[Messaged]) -> Verdict:
    if not ahead:
        return Verdict(why=Why.NO_VISIT)
    if answer.code is not None:
        named = [one for one in ahead if answer.code in one.codes]
        if len(named) == 1:
            return Verdict(named[0])
        return Verdict(why=Why.SEVERAL_VISITS if named else Why.WRONG_CODE)
    if answer.meaning is Meaning.CANCEL:
        return Verdict(ahead[0] if len(ahead) == 1 else None, Why.NO_CODE)
    return Verdict(ahead[0]) if len(ahead) == 1 else Verdict(why=Why.SEVERAL_VISITS)


def _stands(one: Messaged, now: datetime) -> bool:
    booked_ahead = one.status is Status.BOOKED and one.starts_at is not None and one.starts_at > now
    return booked_ahead and one.reachable and one.told_gen == one.schedule_gen


def _plain(text: str) -> str:
    """Return the text in lower case without accents, punctuation at its ends and doubled blanks."""
    decomposed = unicodedata.normalize("NFKD", text[:LONGEST_TEXT]).casefold()
    bare = "".join(c for c in decomposed if not unicodedata.combining(c) and unicodedata.category(c)[0] != "C")
    return re.sub(r"[\s\-_]+", " ", bare).strip(" .,!?:;\"'\u00ab\u00bb\u201c\u201d\u2018\u2019()*")
