"""Whether a patient is let in, by what his clinic requires and how the visit stands to it."""

from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from booking.clearances.domain.policy import Mode
from booking.clearances.domain.standing import Standing
from booking.values.refusals import ILLEGAL_TRANSITION, NOT_CLEARED, Refused
from booking.values.warned import Warned
from schemas.appointments import Status

KEPT_REFUSALS = frozenset({NOT_CLEARED, ILLEGAL_TRANSITION, "ALREADY_CANCELLED", "CHANGED_MEANWHILE"})
"""What a check-in is refused for by the state of its visit."""

LET_IN = frozenset({Status.CHECKED_IN, Status.FULFILLED})
"""Statuses of a visit whose patient was let in."""


class CheckInAtDesk(NamedTuple):
    """What a person says who checks a patient in at our own door.

    Attributes:
        by: Who it is, as the client says.
        override: Let him in whatever lacks; the client has the right to.
        patient_id: Who stands there, who is kept: whom he named, else whose visit it was as it was looked at; None:
            whoever it is.
    """

    by: str | None = None
    override: bool = False
    patient_id: UUID | None = None


class Verdict(NamedTuple):
    """What becomes of a check-in that is taken.

    Attributes:
        overridden: Something lacked that the clinic enforces, and he was let in by the right to.
        warnings: That something lacks.
        is_flagged: Staff should look at it.
    """

    overridden: bool = False
    warnings: tuple[Warned, ...] = ()
    is_flagged: bool = False


class CheckIn(NamedTuple):
    """A check-in, and what was checked for it.

    Attributes:
        version: The appointment's, that it made.
        asked: By whom at our own door; None: upstream reported it.
    """

    appointment_id: UUID
    version: int
    status: Status
    standing: Standing
    verdict: Verdict
    client: str
    key: str
    asked: CheckInAtDesk | None = None
    reason: str | None = None


class TurnedAway(NamedTuple):
    """A check-in at our own door that was refused, and how the visit stood.

    Attributes:
        version: The appointment's, as it was.
        status: The same.
        code: Of the refusal.
        by: Who asked, as the client says.
    """

    appointment_id: UUID
    version: int
    status: Status
    standing: Standing
    code: str
    client: str
    key: str
    by: str | None = None

    @property
    def what_sha256(self) -> bytes:
        """Hash of what tells two refusals of one version apart: asking again while nothing changed is the same one."""
        lacks = sorted((one.kind, one.form or "", one.code) for one in self.standing.lacking)
        return sha256(repr((self.code, lacks, self.client, self.by)).encode()).digest()


def lets_in(held: Status | None, to: Status) -> bool:
    """Say whether this step is a check-in: a visit that upstream reports as fulfilled at once is one too.

    Args:
        held: None: nothing was heard of this visit of this patient.
    """
    return to in LET_IN and held not in LET_IN


def judge(standing: Standing, asked: CheckInAtDesk | None) -> Verdict:
    """Return what becomes of a check-in.

    Args:
        asked: At our own door; None: upstream reports it, and a fact is never refused.

    Raises:
        Refused: NOT_CLEARED, with each lack: for whom, and how to get it.
    """
    if standing.is_cleared:
        return Verdict()
    warnings = (Warned(NOT_CLEARED, "", f"the visit lacks {_in_short(standing)}; it was taken all the same"),)
    if standing.mode is Mode.OBSERVE:
        return Verdict(warnings=warnings)
    if asked is None:
        return Verdict(warnings=warnings, is_flagged=True)
    if not asked.override:
        raise _not_cleared(standing)
    return Verdict(overridden=True, warnings=warnings)


def _not_cleared(standing: Standing) -> Refused:
    each = [Refused(lack.code, lack.detail, lack.place) for lack in standing.lacking]
    way_out = "`errors` says of each for whom and how to get it; whoever may override does so with by and reason"
    return Refused(NOT_CLEARED, f"the visit lacks {_in_short(standing)}: {way_out}", also=each)


def _in_short(standing: Standing) -> str:
    return ", ".join(f"{lack.kind} ({lack.code})" for lack in standing.lacking)
