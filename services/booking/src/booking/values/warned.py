"""What is said of an event that was taken all the same: a code for programs, a place, and what to do (0038)."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from booking.values.refusals import IDENTITY_CONFLICT, ILLEGAL_TRANSITION, NOT_CLEARED, UNKNOWN_CLINIC, Refused
from booking.values.trail import Took, Trail

DETAIL_DROPPED = "DETAIL_DROPPED"
UNKNOWN_FIELD = "UNKNOWN_FIELD"
NO_NAME = "NO_NAME"
NO_CONTACT = "NO_CONTACT"
UNKNOWN_PATIENT = "UNKNOWN_PATIENT"
UNKNOWN_PROVIDER = "UNKNOWN_PROVIDER"
FACT_BEFORE_BOOKING = "FACT_BEFORE_BOOKING"
END_IS_START = "END_IS_START"
HELD_BACK = "HELD_BACK"
UNKNOWN_WORD = "UNKNOWN_WORD"
WORD_DISAGREES = "WORD_DISAGREES"
FOREIGN_PATIENT = "FOREIGN_PATIENT"
FUTURE_TIME = "FUTURE_TIME"
STALE = "STALE"
SEQUENCE_WENT_BACK = "SEQUENCE_WENT_BACK"
KEPT_PATIENT_REPLY = "KEPT_PATIENT_REPLY"
KEPT_NO_SHOW = "KEPT_NO_SHOW"
KEPT_DESK_CHANGE = "KEPT_DESK_CHANGE"
NO_KEY = "NO_KEY"
CHARSET_DIFFERS = "CHARSET_DIFFERS"
BATCH_COUNT_DIFFERS = "BATCH_COUNT_DIFFERS"
SKIPPED_HOUR = "SKIPPED_HOUR"
DOUBLED_HOUR = "DOUBLED_HOUR"

_DETAILS = {
    ILLEGAL_TRANSITION: "the state table lacks this step; it was taken all the same",
    FACT_BEFORE_BOOKING: "this visit is not known as booked; what happened was taken, and staff look at it",
    FOREIGN_PATIENT: "what is said of the patient was not taken: this client does not see all his clinics",
    FUTURE_TIME: "more than 5 minutes ahead of us; taken as now: is it local time written as UTC?",
    SEQUENCE_WENT_BACK: "the count went back while the times go on; if the source counts anew, say so by "
    "POST /v1/sources/{source}/restart and send this again under an id of its own",
    IDENTITY_CONFLICT: "one of these names is known as another's; it was passed over, and the first name believed",
    KEPT_PATIENT_REPLY: "the patient answered otherwise, and that stands; the rest was taken: to book him again, say "
    "another start, or cancelled and then booked, or this alone with a new reason",
    KEPT_NO_SHOW: "nobody came, and that stands; the rest was taken: say that he arrived, or another start",
    NO_NAME: "messages greet nobody by name until given_name or family_name is told",
    NO_CONTACT: "no message reaches him until a mobile or an email is told",
    UNKNOWN_PATIENT: "nobody registered this patient: no message goes to him until PUT /v1/patients/{id}",
    UNKNOWN_PROVIDER: "nobody entered this clinician: no notice goes to him until PUT /v1/providers/{id}",
    KEPT_DESK_CHANGE: "it was cancelled, moved or checked in at the clinic's desk, and that stands; the rest was "
    "taken: to undo it, say another start, or cancelled and then booked, or this alone with a new reason",
    NO_KEY: "the record has no key, so events of one appointment may overtake each other; give it the appointment's id",
    BATCH_COUNT_DIFFERS: "the envelope counts otherwise than what is in it; every message was taken: was one lost?",
    SKIPPED_HOUR: "the clocks are put forward over this local time; it was taken as much later as they jump",
    DOUBLED_HOUR: "the clocks show this local time twice; the first was taken: send an offset to say which",
    WORD_DISAGREES: "the trigger event and the status word contradict each other; the trigger was believed: if the "
    "source means it, say so in its profile (events, words)",
    HELD_BACK: "by its trigger and its word the visit may stand or not; nothing is sent for it, and staff look at it",
    UNKNOWN_WORD: "a status word of no class; it was passed over: give it one in the source's profile (words)",
    END_IS_START: "a visit has a length; it was taken without an end",
    NOT_CLEARED: "the visit lacks what its clinic requires; it was taken all the same, and staff are told",
}

_BETWEEN = "\t"


WARNINGS = frozenset(
    {DETAIL_DROPPED, UNKNOWN_FIELD, NO_NAME, NO_CONTACT, UNKNOWN_PATIENT, UNKNOWN_PROVIDER, FACT_BEFORE_BOOKING}
    | {END_IS_START, FOREIGN_PATIENT, FUTURE_TIME, STALE, SEQUENCE_WENT_BACK, NO_KEY, NOT_CLEARED}
    | {KEPT_PATIENT_REPLY, KEPT_NO_SHOW, KEPT_DESK_CHANGE, ILLEGAL_TRANSITION, IDENTITY_CONFLICT}
    | {WORD_DISAGREES, HELD_BACK, UNKNOWN_WORD, SKIPPED_HOUR, DOUBLED_HOUR, CHARSET_DIFFERS, BATCH_COUNT_DIFFERS}
    | {UNKNOWN_CLINIC}
)
"""Every code of a warning."""


class Warned(NamedTuple):
    """One warning.

    Attributes:
        place: Where in the input, as a path; empty for the whole.
        detail: What was done and the way out, in words; never the input.
    """

    code: str
    place: str = ""
    detail: str = ""

    @property
    def members(self) -> dict[str, str]:
        """The warning as it is answered."""
        return {"code": self.code, "place": self.place, "detail": self.detail or _DETAILS.get(self.code, "")}

    @property
    def line(self) -> str:
        """The warning as it is kept."""
        return _BETWEEN.join(self).rstrip(_BETWEEN)


def of_line(line: str) -> Warned:
    """Return the warning kept so."""
    return Warned(*line.split(_BETWEEN))


def dropped(refusal: Refused) -> Warned:
    """Return the warning of a detail that is not kept, for the reason for which it would be refused elsewhere."""
    return Warned(DETAIL_DROPPED, refusal.place, f"{refusal.code}: {refusal.message}; the rest was taken")


def beside(refusal: Refused, warnings: Iterable[Warned]) -> Refused:
    """Return the refusal with the fields that were not read: what it lacks may be misspelt among them (0047)."""
    named = {one.place for one in (refusal, *refusal.also) if one.code == UNKNOWN_FIELD}
    unread = (one for one in warnings if one.code == UNKNOWN_FIELD and one.place not in named)
    also = [Refused(one.code, one.detail, one.place) for one in unread]
    return Refused(refusal.code, refusal.message, refusal.place, (*refusal.also, *also)) if also else refusal


class Details:
    """Reads details of an event: one that cannot be kept is dropped and named, and refuses nothing (0038).

    Attributes:
        doubted: The refusal of what was dropped and may have said whose the event is: it holds if nothing else does.
        trail: Where each value came from; None: nobody asked, and nothing of it is kept.
    """

    __slots__ = ("doubted", "trail", "warnings")

    def __init__(self, warnings: Iterable[Warned] = (), trail: Trail | None = None) -> None:
        self.warnings = list(warnings)
        self.doubted: Refused | None = None
        self.trail = trail

    def took(self, field: str, place: str, knob: str = "", rule: str = "") -> None:
        """Note where a field's value came from (`Took`), if anybody asked."""
        if self.trail is not None:
            self.trail.append(Took(field, place, knob, rule))

    @contextmanager
    def beside_refusals(self) -> Iterator[None]:
        """Name in a refusal also the fields that were not read."""
        try:
            yield
        except Refused as refusal:
            raise beside(refusal, self.warnings) from None

    def read[**P, T, D](self, instead: D, read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | D:
        """Return what `read` makes of the detail, or `instead`."""
        try:
            return read(*args, **kwargs)
        except Refused as refusal:
            self.warnings.append(dropped(refusal))
            return instead
