"""What a patient's answer makes of his visit (B11): confirmed or cancelled, if it still is the one he was told of."""

from typing import NamedTuple
from uuid import UUID

from booking.appointments.domain.state import AppointmentState, Result
from booking.appointments.domain.statuses import CANCELLED_BY_PATIENT, OWN_REPLY
from booking.appointments.domain.transitions import Actor, Step, step_of
from booking.appointments.domain.two_writers import own_version
from schemas.appointments import Status
from schemas.replies import PatientReplied, ReplyAnswer


class Replied(NamedTuple):
    """What becomes of the visit: `state` is a new version only if the result is APPLIED."""

    result: Result
    state: AppointmentState


def cause_of(reply_id: UUID) -> str:
    """Return what the new version names as its cause."""
    return f"{OWN_REPLY}{reply_id}"


def decide(held: AppointmentState, reply: PatientReplied) -> Replied:
    """Return what the answer makes of the visit held; upstream's order stays, so its next word is newer.

    STALE: the visit is another patient's by now, at another time than he was told, not booked any more, or begun.
    REPEAT: it is confirmed, or cancelled, already.

    When upstream's word arrived stays too: beside an untimed one it bounds what clocks differ by.

    Args:
        reply: The answer. Its own time counts, not that of its arrival: a late consumer takes nothing from a patient.
    """
    if reply.answer is ReplyAnswer.CANCEL and held.status is Status.CANCELLED:
        return Replied(Result.REPEAT, held)
    begun = held.starts_at is None or held.starts_at <= reply.at
    if held.patient != reply.patient_id or held.schedule_gen != reply.schedule_gen or begun:
        return Replied(Result.STALE, held)
    cancels = reply.answer is ReplyAnswer.CANCEL
    to = Status.CANCELLED if cancels else Status.BOOKED
    if step_of(Actor.PATIENT, held.status, to) is not Step.ALLOWED:
        return Replied(Result.STALE, held)
    if reply.answer is ReplyAnswer.CONFIRM and held.confirmed:
        return Replied(Result.REPEAT, held)
    after = held._replace(
        version=held.version + 1,
        status=to,
        confirmed=held.confirmed or not cancels,
        event_time=reply.at,
        caused_by=cause_of(reply.reply_id),
        reason=CANCELLED_BY_PATIENT if cancels else None,
    )
    return Replied(Result.APPLIED, own_version(held, after))
