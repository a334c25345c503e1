"""Which visit an answer is about, or why that is for staff to find out (D36, B11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from notifier.replies.domain.reading import Meaning, PatientReply
from schemas.appointments import Status

WRONG_CODES_AN_HOUR = 5
"""Of a number: of 10,000 codes it may try 120 a day, each of them seen by staff."""


class Why(StrEnum):
    """Why an answer is on the staff's list."""

    NOT_UNDERSTOOD = "NOT_UNDERSTOOD"
    NO_VISIT = "NO_VISIT"
    SEVERAL_VISITS = "SEVERAL_VISITS"
    NO_CODE = "NO_CODE"
    WRONG_CODE = "WRONG_CODE"
    REPLIES_OFF = "REPLIES_OFF"
    MAY_MEAN_VISIT = "MAY_MEAN_VISIT"
    SAID_MORE = "SAID_MORE"
    ASKED_HELP = "ASKED_HELP"
    STOPPED_LATER = "STOPPED_LATER"
    TOO_MANY_CODES = "TOO_MANY_CODES"
    UNKNOWN_SENDER = "UNKNOWN_SENDER"


@dataclass(frozen=True, slots=True)
class Messaged:
    """A visit that this address was written to about, as it is now.

    Attributes:
        clinic_name: Empty at a sensitive clinic, as its phone is; that is empty where it is not known too.
        languages: The patient's, then the clinic's.
    """

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
    clinic_name: str = ""
    clinic_phone: str = ""
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of an answer.

    Attributes:
        visit: The one it is about; None if that is not certain.
        why: Why staff must look; None if they need not.
    """

    visit: Messaged | None = None
    why: Why | None = None


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
